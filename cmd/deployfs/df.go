package main

import (
	"context"
	"fmt"
	"io"

	"deployfs/cmd/internal/cli"
	"deployfs/mount/daemon"
	"deployfs/objstore"
	"deployfs/objstore/reach"
	"deployfs/objstore/usage"
)

type dfOptions struct {
	depth int
	human bool
}

func dfVerb() cli.Verb {
	o := &dfOptions{depth: reach.AllParents}
	depth := func(text string) (err error) { o.depth, err = parseDepth(text); return err }
	return cli.Verb{
		Name: "df", Short: "Tell what takes the repository's disk, and what prune would free", Ours: true, JSON: true,
		Long: dfText,
		Options: []cli.Option{
			cli.Func(depth, "depth", "", "DEPTH", "What if prune kept only DEPTH parents of each ref's commit (default: -1=infinite)"),
			humanOption(&o.human),
		},
		Examples: []cli.Example{
			{Command: "deployfs df -h", Text: "the repository by ref"},
			{Command: "deployfs df --depth=2 --json | jq .prune", Text: "what `deployfs prune --refs-only --depth=2` would free"},
		},
		Complete: func(*cli.Invocation, string) cli.Completion { return cli.Completion{} },
		Run:      o.run,
	}
}

const dfText = `For each ref there are the commits that it leads to, with all parents that are here, the objects that these need, the bytes of the blocks that the objects take, and the bytes of those that no other ref needs: what goes, with a prune, when the ref is deleted. An alias counts with its ref, and refs that lead to the same commits have nothing to themselves. Unreachable is what no ref needs: commits that were left behind, and objects that no commit needs. Objects of a parent repository take nothing in this one.

Then comes what is no object: detached metadata of commits, static deltas, the summary, tree indexes of deployfs, scratch (tmp and what was inflated for checkouts), and the rest, such as configuration, refs and keys. All lines together are what find(1) finds in the repository; directories are not counted.

At last, what deployfs prune --refs-only --depth=DEPTH would delete: the same objects, and the same size, that it would say, and their blocks; detached metadata and static deltas that go with them; and what stays only because it is mounted here, as deployfs mounts lists it, and which ostree prune would delete, too. A mount that can't be seen from here, in a container perhaps, is not known. Nothing is deleted. At a depth, where refs share history, ostree prune may delete more, as it depends on the order in which it walks the refs: df and deployfs prune keep what any ref needs.

Blocks of an object that is hard-linked into a checkout are not free before that is gone, too.`

func (o *dfOptions) run(ctx context.Context, inv *cli.Invocation) error {
	if len(inv.Args) > 0 {
		return &cli.UsageError{Text: "no argument is taken: `deployfs du` tells about commits"}
	}
	repo, err := openRepo(inv)
	if err != nil {
		return daemon.WithRemedy(err)
	}
	defer repo.Close()
	r, err := o.survey(ctx, inv, repo)
	switch {
	case err != nil:
		return daemon.WithRemedy(err)
	case inv.JSON:
		return cli.WriteJSON(inv.Stdout, newDfJSON(r))
	}
	if r.Other.Unread > 0 {
		fmt.Fprintf(inv.Stderr, "not counted: %d directories that can't be read\n", r.Other.Unread)
	}
	p := dfPrinter{out: inv.Stdout, human: o.human}
	p.report(r)
	return p.err
}

func (o *dfOptions) survey(ctx context.Context, inv *cli.Invocation, repo *objstore.Repo) (r usage.Report, err error) {
	mounted, err := mountsOf(repo)
	if err != nil {
		return r, err
	}
	lock, err := lockShared(ctx, repo)
	if err != nil {
		return r, err
	}
	defer lock.Close()
	options := usage.Options{Depth: o.depth, Mounted: mounted.commits()}
	defer startCounting(inv, &options.Count)()
	return usage.Repository(ctx, repo, options)
}

// dfPrinter prints until something fails.
type dfPrinter struct {
	out   io.Writer
	human bool
	err   error
}

func (p *dfPrinter) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.out, format+"\n", args...)
	}
}

func (p *dfPrinter) report(r usage.Report) {
	p.line("%8s %9s %14s %14s  %s", "COMMITS", "OBJECTS", "ON DISK", "EXCLUSIVE", "REF")
	for _, ref := range r.Refs {
		p.line("%8d %9d %14s %14s  %s", ref.Commits, ref.Objects.Count, p.size(ref.Objects), p.size(ref.Exclusive), refLabel(ref.Ref))
	}
	p.amount(r.Reachable, "all refs")
	p.amount(r.Unreachable, "unreachable")
	p.line("")
	p.line("%18s %14s", "FILES", "ON DISK")
	all := r.Reachable
	for _, part := range append([]dfPart{{r.Unreachable, ""}}, otherParts(r.Other)...) {
		all.Count += part.amount.Count
		all.Disk += part.amount.Disk
		if part.what != "" && part.amount.Count > 0 {
			p.amount(part.amount, part.what)
		}
	}
	p.amount(all, "all, with the objects")
	p.prune(r.Prune)
}

// dfPart is one of the parts of a repository that are no objects.
type dfPart struct {
	amount usage.Amount
	what   string
}

func otherParts(o usage.Other) []dfPart {
	return []dfPart{
		{o.Detached, "detached metadata"}, {o.Deltas, "static deltas"}, {o.Summary, "summary"},
		{o.Indexes, "tree indexes"}, {o.Scratch, "scratch"}, {o.Rest, "rest"},
	}
}

func (p *dfPrinter) prune(f usage.Prune) {
	p.line("")
	p.line("prune --refs-only --depth=%d would free", depthNumber(f.Depth))
	p.amount(f.Objects, "objects, "+objstore.FormatSize(f.Objects.Size))
	for _, part := range []dfPart{{f.Detached, "detached metadata"}, {f.Deltas, "static deltas"}, {f.InUse, "more, but they are mounted"}} {
		if part.amount.Count > 0 {
			p.amount(part.amount, part.what)
		}
	}
}

func (p *dfPrinter) amount(a usage.Amount, what string) {
	p.line("%18d %14s %14s  %s", a.Count, p.size(a), "", what)
}

func (p *dfPrinter) size(a usage.Amount) string { return size(a.Disk, p.human) }

// depthNumber is a depth as --depth takes it.
func depthNumber(depth int) int {
	if depth == reach.AllParents {
		return -1
	}
	return depth
}

// refLabel is how ostree prints a ref, or a mirrored one.
func refLabel(ref objstore.Ref) string {
	if ref.Collection != "" {
		return fmt.Sprintf("(%s, %s)", ref.Collection, ref.Ref)
	}
	return ref.String()
}

package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"deployfs/cmd/internal/cli"
	"deployfs/mount/daemon"
	"deployfs/objstore"
	"deployfs/objstore/usage"
)

type duOptions struct {
	query usage.Query
	human bool
}

func duVerb() cli.Verb {
	o := &duOptions{}
	depth := func(text string) error {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return fmt.Errorf("%q is no depth: want 0, 1, 2 and so on", text)
		}
		o.query.MaxDepth = n
		return nil
	}
	return cli.Verb{
		Name: "du", Args: "REV... [-- PATH...] | REV:PATH...", Short: "Tell how large commits are, and what of it is theirs alone", Ours: true, JSON: true, Pager: true,
		Long: duText,
		Options: []cli.Option{
			cli.Func(depth, "max-depth", "d", "N", "Also a line for each directory, down to N below a PATH (0)"),
			humanOption(&o.human),
			cli.Flag(&o.query.Alone, "alone", "", "Look at no other commits: faster, and without exclusive and shared"),
		},
		Examples: []cli.Example{
			{Command: "deployfs du -h os/main os/main^ os/main^^", Text: "three commits, and what the three take together"},
			{Command: "deployfs du -h -d 1 os/main -- /usr", Text: "the directories in /usr, and /usr"},
			{Command: "deployfs du --alone --json os/main | jq .total.apparent", Text: "what a copy of the tree holds"},
		},
		Complete: completeRevsPaths,
		Run:      o.run,
	}
}

const duText = `A commit that is named twice, and a PATH below another one, count once. In place of REV and PATH there may be REV:PATH, by the rule of show and cat.

Each line has four sizes in bytes. Apparent: the lengths of files and link targets, each as often as the tree has it; du --apparent-size --count-links says the same of a checkout, but for what it adds for directories. On disk: the blocks of the objects that the tree needs, each once; in an archive repository they are compressed. Exclusive: what of that no other commit needs, of those that refs lead to with all their parents, and of those that are named here; it is what would be freed if the commit were gone. Shared: the rest.

Each object counts in the first line of a commit that needs it, so that lines add up: directories in the order of their names, the files of a directory before its subdirectories, and --max-depth shows a directory after what is in it. The line of a whole commit includes the commit object, but not its detached metadata. In the total, an object that several of the commits need counts once, and is exclusive when no other commit needs it.

Objects of a parent repository take nothing in this one, though they have an apparent size. Blocks of an object that is hard-linked into a checkout are not free before that is gone, too.`

func (o *duOptions) run(ctx context.Context, inv *cli.Invocation) error {
	revs := inv.Args[:inv.Before]
	if len(revs) == 0 {
		return &cli.UsageError{Text: "a commit is needed"}
	}
	for _, rev := range revs {
		if strings.HasPrefix(rev, "/") {
			return &cli.UsageError{Text: fmt.Sprintf("%s: paths stand behind --", daemon.Line(rev))}
		}
	}
	o.query.Paths = inv.Args[inv.Before:]
	return daemon.WithRemedy(o.measure(ctx, inv, revs))
}

func (o *duOptions) measure(ctx context.Context, inv *cli.Invocation, revs []string) error {
	repo, err := openRepo(inv)
	if err != nil {
		return err
	}
	defer repo.Close()
	revs, err = o.resolve(repo, revs)
	if err != nil {
		return err
	}
	p := &duPrinter{duOptions: o, revs: revs, out: inv.Stdout, json: inv.JSON, list: duJSON{Lines: []duLineJSON{}}}
	return o.locked(ctx, inv, repo, p)
}

// resolve finds the commits, each once, and what they are called; of REV:PATHs also the paths.
func (o *duOptions) resolve(repo *objstore.Repo, args []string) (revs []string, err error) {
	places, found, err := findRevPaths(repo, args)
	switch {
	case err != nil:
		return nil, err
	case found && len(o.query.Paths) > 0:
		return nil, &cli.UsageError{Text: "a REV:PATH has its PATH: none is taken behind --"}
	case !found:
		if places, err = commitsOf(repo, args); err != nil {
			return nil, err
		}
	}
	q := &o.query
	for _, p := range places {
		at := slices.Index(q.Commits, p.commit)
		if at < 0 {
			at = len(revs)
			revs, q.Commits = append(revs, p.rev), append(q.Commits, p.commit)
			if found {
				q.Places = append(q.Places, nil)
			}
		}
		if found {
			q.Places[at] = append(q.Places[at], p.entry.Path)
		}
	}
	return revs, nil
}

// commitsOf resolves REVs.
func commitsOf(repo *objstore.Repo, revs []string) (list []revPath, err error) {
	for _, rev := range revs {
		sum, err := repo.Resolve(rev)
		if err != nil {
			return nil, err
		}
		list = append(list, revPath{rev: rev, commit: sum})
	}
	return list, nil
}

// locked keeps prune away as long as it looks.
func (o *duOptions) locked(ctx context.Context, inv *cli.Invocation, repo *objstore.Repo, p *duPrinter) error {
	lock, err := lockShared(ctx, repo)
	if err != nil {
		return err
	}
	defer lock.Close()
	p.begin = startCounting(inv, &o.query.Count)
	defer p.begin()
	total, err := usage.Trees(ctx, repo, o.query, p.line)
	if err != nil {
		return err
	}
	return p.end(total)
}

// duPrinter prints lines, or collects them for JSON.
type duPrinter struct {
	*duOptions
	revs  []string
	out   io.Writer
	json  bool
	begin func() // takes the progress away
	lines int
	tops  int // of the lines
	list  duJSON
}

func (p *duPrinter) line(l usage.Line) error {
	if l.Top {
		p.tops++
	}
	if p.json {
		p.list.Lines = append(p.list.Lines, p.newLine(l))
		return nil
	}
	if p.lines++; p.lines == 1 {
		p.begin()
		if err := p.row("APPARENT", "ON DISK", "EXCLUSIVE", "SHARED", "WHAT"); err != nil {
			return err
		}
	}
	what := p.revs[l.Commit]
	if p.query.MaxDepth > 0 || len(p.query.Paths) > 0 || p.query.Places != nil {
		what += ":" + l.Path
	}
	return p.sizes(l, daemon.Line(what))
}

func (p *duPrinter) sizes(l usage.Line, what string) error {
	return p.row(size(l.Apparent, p.human), size(l.Disk, p.human), size(l.Exclusive, p.human), size(l.Shared(), p.human), what)
}

func (p *duPrinter) row(apparent, disk, exclusive, shared, what string) error {
	var err error
	if p.query.Alone {
		_, err = fmt.Fprintf(p.out, "%12s %12s  %s\n", apparent, disk, what)
	} else {
		_, err = fmt.Fprintf(p.out, "%12s %12s %12s %12s  %s\n", apparent, disk, exclusive, shared, what)
	}
	return err
}

// end prints the total, if that is more than a line has said.
func (p *duPrinter) end(total usage.Line) error {
	p.begin()
	if p.json {
		p.list.Total = p.newSizes(total)
		return cli.WriteJSON(p.out, p.list)
	}
	if p.tops < 2 {
		return nil
	}
	return p.sizes(total, "total")
}

// duJSON is what du prints as JSON.
type duJSON struct {
	Lines []duLineJSON `json:"lines"`
	Total duSizesJSON  `json:"total"`
}

type duLineJSON struct {
	Rev       string `json:"rev"`
	Commit    string `json:"commit"`
	Path      string `json:"path"`
	PathBytes []byte `json:"path_bytes,omitempty"`
	duSizesJSON
}

// duSizesJSON is in bytes; without looking at other commits two are not known.
type duSizesJSON struct {
	Apparent  uint64  `json:"apparent"`
	Objects   int     `json:"objects"`
	OnDisk    uint64  `json:"on_disk"`
	Exclusive *uint64 `json:"exclusive,omitempty"`
	Shared    *uint64 `json:"shared,omitempty"`
}

func (p *duPrinter) newLine(l usage.Line) duLineJSON {
	j := duLineJSON{Rev: p.revs[l.Commit], Commit: p.query.Commits[l.Commit].String(), duSizesJSON: p.newSizes(l)}
	j.Path, j.PathBytes = cli.Text(l.Path)
	return j
}

func (p *duPrinter) newSizes(l usage.Line) duSizesJSON {
	j := duSizesJSON{Apparent: l.Apparent, Objects: l.Objects, OnDisk: l.Disk}
	if !p.query.Alone {
		shared := l.Shared()
		j.Exclusive, j.Shared = &l.Exclusive, &shared
	}
	return j
}

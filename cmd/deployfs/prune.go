package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"deployfs/cmd/internal/cli"
	"deployfs/cmd/internal/date"
	"deployfs/objstore"
	"deployfs/objstore/prune"
	"deployfs/objstore/reach"
)

type pruneOptions struct {
	noPrune, refsOnly, deltasOnly, commitOnly, force bool

	depth    string
	remove   *string // nil when not given
	younger  *string // the same
	retain   []string
	branches []string
}

func pruneVerb() cli.Verb {
	o := &pruneOptions{depth: "-1"}
	remove := func(text string) error { o.remove = &text; return nil }
	younger := func(text string) error { o.younger = &text; return nil }
	return cli.Verb{
		Name: "prune", Short: "Search for unreachable objects", JSON: true, Long: pruneText,
		Options: []cli.Option{
			cli.Flag(&o.noPrune, "no-prune", "", "Only display unreachable objects; don't delete"),
			cli.Flag(&o.refsOnly, "refs-only", "", "Only compute reachability via refs"),
			cli.String(&o.depth, "depth", "", "DEPTH", "Only traverse DEPTH parents for each commit (default: -1=infinite)"),
			cli.Func(remove, "delete-commit", "", "COMMIT", "Specify a commit to delete"),
			cli.Func(younger, "keep-younger-than", "", "DATE", "Prune all commits older than the specified date"),
			cli.Flag(&o.deltasOnly, "static-deltas-only", "", "Change the behavior of delete-commit and keep-younger-than to prune only static deltas"),
			stringsOption(&o.retain, "retain-branch-depth", "BRANCH=DEPTH", "Additionally retain BRANCH=DEPTH commits"),
			stringsOption(&o.branches, "only-branch", "BRANCH", "Only prune BRANCH (may be specified multiple times)"),
			cli.Flag(&o.commitOnly, "commit-only", "", "Only traverse and delete commit objects."),
			cli.Flag(&o.force, "force", "", "Delete commits that are mounted, too"),
		},
		Examples: []cli.Example{
			{Command: "deployfs prune --refs-only --depth=2", Text: "keep of each ref its commit and two before it"},
			{Command: "deployfs prune --keep-younger-than='30 days ago' --no-prune", Text: "what deleting what is older would free"},
		},
		CompleteOptions: completers{"only-branch": completeRevs, "delete-commit": completeRevs},
		Complete:        func(*cli.Invocation, string) cli.Completion { return cli.Completion{} },
		Run:             o.run,
	}
}

const pruneText = `Deletes what no commit needs that is kept. Without options every commit is kept, with --refs-only those that refs lead to. Static deltas that lead to no commit of the repository are deleted, too, as ostree does it even with --no-prune.

Commits that deployfs shows somewhere are kept, with all that they need, and named on the standard error, unless --force is given. Their mounts need not end: what they hold of the repository's lock keeps ostree's own prune out, not this one. Other users of the lock are waited for, as long as core.lock-timeout-secs says. A mount with --no-lock is known only when ` + "`deployfs mounts`" + ` lists it here.

DATE is @SECONDS, a day such as 2026-01-31 or "31 Jan 2026" with or without a time of day and a zone, yesterday, or a distance such as "10 days ago". Other forms that ostree takes are refused.

Where ostree's answer depends on the order in which it meets refs that share commits, more is kept here, not less. Commits of mirrored refs are kept with every option. A ref that names no commit, and a damaged directory, are errors.`

// stringsOption takes an option that may be given several times.
func stringsOption(list *[]string, name, arg, help string) cli.Option {
	return cli.Func(func(text string) error { *list = append(*list, text); return nil }, name, "", arg, help)
}

func (o *pruneOptions) run(ctx context.Context, inv *cli.Invocation) error {
	depth, err := parseDepth(o.depth)
	if err != nil {
		return err
	}
	repo, err := openRepo(inv)
	if err != nil {
		return err
	}
	defer repo.Close()
	options, err := o.parse(time.Now())
	if err != nil {
		return err
	}
	options.Depth = depth
	if inv.Verbose {
		options.Report = func(format string, args ...any) { fmt.Fprintf(inv.Stderr, "OT: "+format+"\n", args...) }
	}
	mounted, err := mountsOf(repo)
	if err != nil && !o.force {
		return err
	}
	options.Mounted = mounted.commits()
	result, err := prune.Run(ctx, repo, options)
	if err != nil {
		return mounted.explain(err)
	}
	mounted.tellKept(inv.Stderr, result.Kept)
	return o.print(inv, result)
}

// parse checks what the options say together.
func (o *pruneOptions) parse(now time.Time) (p prune.Options, err error) {
	p = prune.Options{
		RefsOnly: o.refsOnly, CommitOnly: o.commitOnly, DryRun: o.noPrune, Force: o.force,
		Delete: o.remove, DeleteDeltasOnly: o.deltasOnly,
	}
	switch {
	case o.remove != nil && o.noPrune:
		return p, &cli.UsageError{Text: "Cannot specify both --delete-commit and --no-prune"}
	case o.remove == nil && o.deltasOnly:
		return p, cli.Words("--static-deltas-only requires --delete-commit; see https://github.com/ostreedev/ostree/issues/1479")
	case o.retain == nil && o.branches == nil && o.younger == nil:
		return p, nil
	}
	p.Branches = &prune.Branches{Only: o.branches, Retain: map[string]int{}}
	if o.younger != nil {
		t, err := date.Parse(*o.younger, now)
		if err != nil {
			return p, dateError(*o.younger)
		}
		since := t.Unix()
		p.Branches.Since = &since
	}
	for _, text := range o.retain {
		branch, depth, err := parseRetain(text)
		if err != nil {
			return p, err
		}
		p.Branches.Retain[branch] = depth
	}
	return p, nil
}

// parseDepth reads --depth; a negative one but for -1 is as good as 0.
func parseDepth(text string) (int, error) {
	n, err := parseInt(text, "depth")
	return depthOf(int64(n)), err
}

// parseInt reads the value of an option as GLib does.
func parseInt(text, name string) (int, error) {
	n, err := strconv.ParseInt(strings.TrimLeft(text, " \t"), 0, 32)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return 0, cli.Words("Integer value “" + text + "” for --" + name + " out of range")
	case err != nil:
		return 0, cli.Words("Cannot parse integer value “" + text + "” for --" + name)
	}
	return int(n), nil
}

func depthOf(n int64) int {
	if n == -1 {
		return reach.AllParents
	}
	return int(max(n, 0))
}

// parseRetain reads BRANCH=DEPTH. As ostree does, it takes the digits at the
// beginning, and 0 for what the other options say.
func parseRetain(text string) (branch string, depth int, err error) {
	branch, number, ok := strings.Cut(text, "=")
	if !ok {
		return "", 0, cli.Words("Invalid value " + text + ", must specify BRANCH=DEPTH")
	}
	digits := strings.TrimLeft(number, " \t")
	end := len(digits) - len(strings.TrimLeft(digits, "+-"))
	for end < len(digits) && digits[end] >= '0' && digits[end] <= '9' {
		end++
	}
	n, err := strconv.ParseInt(digits[:end], 10, 32)
	if err != nil {
		return "", 0, cli.Words("Invalid depth " + number)
	}
	if n == 0 {
		return branch, prune.DefaultDepth, nil
	}
	return branch, depthOf(n), nil
}

// dateError is a DATE that is not understood, in ostree's words.
type dateError string

func (e dateError) Error() string { return "Could not parse '" + string(e) + "'" }
func (e dateError) Hint() string {
	return `DATE is such as 2026-01-31, "2026-01-31 12:00 UTC", @1700000000 or "10 days ago"`
}

// pruneJSON is what was, or would be, deleted.
type pruneJSON struct {
	Total   int      `json:"total"`   // objects; with --commit-only commits
	Deleted int      `json:"deleted"` // of these
	Freed   uint64   `json:"freed"`   // bytes
	DryRun  bool     `json:"dry_run"` // nothing was deleted
	Kept    []string `json:"kept"`    // commits that are there only because they are mounted
}

func (o *pruneOptions) print(inv *cli.Invocation, r prune.Result) error {
	if inv.JSON {
		result := pruneJSON{Total: r.Total, Deleted: r.Deleted, Freed: r.Freed, DryRun: o.noPrune, Kept: []string{}}
		for _, sum := range r.Kept {
			result.Kept = append(result.Kept, sum.String())
		}
		return cli.WriteJSON(inv.Stdout, result)
	}
	what, size := "objects", objstore.FormatSize(r.Freed)
	if o.commitOnly {
		what = "(commit only) objects"
	}
	fmt.Fprintf(inv.Stdout, "Total %s: %d\n", what, r.Total)
	format := "Deleted %d objects, %s freed\n"
	switch {
	case r.Deleted == 0:
		_, err := fmt.Fprintln(inv.Stdout, "No unreachable objects")
		return err
	case o.noPrune:
		format = "Would delete: %d objects, freeing %s\n"
	}
	_, err := fmt.Fprintf(inv.Stdout, format, r.Deleted, size)
	return err
}

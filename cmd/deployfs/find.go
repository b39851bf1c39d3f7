package main

import (
	"context"
	"fmt"
	"text/tabwriter"

	"deployfs/cmd/internal/cli"
	"deployfs/mount/daemon"
	"deployfs/objstore"
	"deployfs/objstore/history"
	"deployfs/objstore/object"
)

const findText = `OBJECT is a whole checksum: of a content object, a dirtree, a dirmeta or a commit. Anything else is a PATTERN, in which * stands for any characters but a slash, ? for one, and [a-z] for one of several. Without a slash it is for names wherever they are; with one it is for whole paths from the root on, and a leading slash makes one of a name in the root.

Each line is a path in the history of one REV, or of each ref when there is no REV: the oldest and the newest commit that hold the object or the name there, with their dates in UTC, how many commits do, and in how many runs when others are between them. For a commit itself, its root dirtree and its root dirmeta the path is /. When nothing is found, nothing is printed.

A commit with ^ before it is the oldest one that is here, though not the first of all.

A directory that several commits or refs have in common is opened once. What can't be read ends the search in its history: the rest is printed, then the error, and the exit status is 1.`

func findVerb() cli.Verb {
	return cli.Verb{
		Name: "find", Args: "OBJECT|PATTERN [REV...]", Short: "Find the commits that hold an object or a name", Ours: true, JSON: true,
		Long: findText,
		Examples: []cli.Example{
			{Command: "deployfs find 'libssl.so*' os/main", Text: "since when, and until when, each of them was there"},
			{Command: "deployfs find '/usr/lib/modules/*'", Text: "every kernel of every ref"},
			{Command: "deployfs find $(deployfs show --json os/main:/usr/bin/sudo | jq -r '.[0].content')", Text: "where else that very file is"},
		},
		Complete: func(inv *cli.Invocation, word string) (c cli.Completion) {
			if len(inv.Args) > 0 {
				c = completeRevs(inv, word)
			}
			return c
		},
		Run: runFind,
	}
}

func runFind(ctx context.Context, inv *cli.Invocation) error {
	if len(inv.Args) == 0 {
		return &cli.UsageError{Text: "an OBJECT or a PATTERN is needed"}
	}
	target, err := history.ParseTarget(inv.Args[0])
	if err != nil {
		return &cli.UsageError{Text: err.Error()}
	}
	repo, err := openRepo(inv)
	if err != nil {
		return err
	}
	defer repo.Close()
	starts, err := findStarts(repo, inv.Args[1:])
	if err != nil {
		return err
	}
	rows, failed := findAll(ctx, inv, history.NewFinder(repo, target), starts)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case inv.JSON:
		err = cli.WriteJSON(inv.Stdout, rows)
	default:
		err = printFound(inv, rows)
	}
	if err == nil {
		err = failed
	}
	return err
}

// start is a history to search.
type start struct {
	name string
	sum  object.Checksum
	err  error // why there is none
}

// findStarts resolves REVs, or lists all refs. An alias is left out: what it stands for is listed.
func findStarts(repo *objstore.Repo, revs []string) (list []start, err error) {
	for _, rev := range revs {
		sum, err := repo.Resolve(rev)
		if err != nil {
			return nil, err
		}
		list = append(list, start{name: rev, sum: sum})
	}
	if len(revs) > 0 {
		return list, nil
	}
	refs, err := repo.Refs()
	if err != nil {
		return nil, err
	}
	mirrored, err := repo.MirroredRefs()
	for _, ref := range append(refs, mirrored...) {
		s := start{name: ref.String()}
		if ref.Collection != "" {
			s.name = "(" + ref.Collection + ", " + s.name + ")" // as refs --collections prints it
		}
		if s.sum, s.err = object.ParseChecksum(ref.Checksum); ref.Alias == "" {
			list = append(list, s)
		}
	}
	return list, err
}

// findAll searches each history. What it found counts also when it returns an error.
func findAll(ctx context.Context, inv *cli.Invocation, f *history.Finder, starts []start) ([]findRow, error) {
	progress := cli.StartProgress(inv.Stderr, func() string { return findProgress(f) })
	defer func() { progress.Stop(findProgress(f)) }()
	rows, failed, others := []findRow{}, error(nil), 0
	for _, s := range starts {
		list, err := []history.Found(nil), s.err
		if err == nil {
			list, err = f.History(ctx, s.sum)
		}
		for _, found := range list {
			rows = append(rows, newFindRow(s.name, found))
		}
		switch {
		case ctx.Err() != nil:
			return rows, ctx.Err()
		case err != nil && failed != nil:
			others++
		case err != nil:
			failed = fmt.Errorf("%s: %w", s.name, err)
		}
	}
	if others > 0 {
		failed = fmt.Errorf("%w (and something in %d more histories)", failed, others)
	}
	return rows, failed
}

func findProgress(f *history.Finder) string {
	commits, dirtrees := f.Progress()
	return fmt.Sprintf("%d commits, %d directories opened", commits, dirtrees)
}

// findRow is a path in a history, in JSON.
type findRow struct {
	Rev       string    `json:"rev"`
	Path      string    `json:"path"`
	PathBytes []byte    `json:"path_bytes,omitempty"`
	First     briefJSON `json:"first"` // the oldest commit that holds it
	Last      briefJSON `json:"last"`  // the newest
	Commits   int       `json:"commits"`
	Runs      []runJSON `json:"runs"` // newest first
	found     history.Found
}

// runJSON is a number of commits in a row.
type runJSON struct {
	First   briefJSON `json:"first"`
	Last    briefJSON `json:"last"`
	Commits int       `json:"commits"`
	Shallow bool      `json:"shallow,omitempty"` // first is the oldest commit that is here
}

func newFindRow(rev string, f history.Found) findRow {
	r := findRow{Rev: rev, Commits: f.Commits(), found: f}
	r.Path, r.PathBytes = cli.Text(f.Path)
	for _, run := range f.Runs {
		r.Runs = append(r.Runs, runJSON{newBriefJSON(run.First), newBriefJSON(run.Last), run.Commits, run.Shallow})
	}
	r.First, r.Last = r.Runs[len(r.Runs)-1].First, r.Runs[0].Last
	return r
}

func printFound(inv *cli.Invocation, rows []findRow) error {
	if len(rows) == 0 {
		return nil
	}
	table := tabwriter.NewWriter(inv.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "FIRST\tDATE\tLAST\tDATE\tCOMMITS\tREV\tPATH")
	for _, r := range rows {
		oldest, newest := r.found.Runs[len(r.found.Runs)-1], r.found.Runs[0]
		commits := fmt.Sprint(r.Commits)
		if n := len(r.found.Runs); n > 1 {
			commits += fmt.Sprintf(" in %d runs", n)
		}
		_, err := fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n",
			shortBrief(oldest.First, oldest.Shallow), briefTime(oldest.First, "2006-01-02"), short(newest.Last.Checksum.String()), briefTime(newest.Last, "2006-01-02"),
			commits, daemon.Line(r.Rev), daemon.Line(r.found.Path))
		if err != nil {
			return err
		}
	}
	return table.Flush()
}

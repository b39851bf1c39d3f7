package main

import (
	"context"
	"fmt"
	"strings"

	"deployfs/cmd/internal/cli"
	"deployfs/mount/daemon"
	"deployfs/objstore"
	"deployfs/objstore/history"
	"deployfs/objstore/object"
)

const findText = `OBJECT is a whole checksum: of a content object, a dirtree, a dirmeta or a commit. The first 7 digits or more of a commit's will do, when nothing has such a name. Anything else is a PATTERN, in which * stands for any characters but a slash, ? for one, and [a-z] for one of several. Without a slash it is for names wherever they are; with one it is for whole paths from the root on, and a leading slash makes one of a name in the root.

Each line is a path in the history of one REV, or of each ref when there is no REV: the oldest and the newest commit that hold the object or the name there, with their dates in UTC, how many commits do, and in how many runs when others are between them. For a commit itself, its root dirtree and its root dirmeta the path is /. When nothing is found, nothing is printed.

With --commits each line is a commit instead, and REV:PATH, where it holds what was found; in JSON they are held_by.

A commit with ^ before it is the oldest one that is here, though not the first of all.

A directory that several commits or refs have in common is opened once. What can't be read ends the search in its history: the rest is printed, then the error, and the exit status is 1.`

type findOptions struct{ commits bool }

func findVerb() cli.Verb {
	o := new(findOptions)
	return cli.Verb{
		Name: "find", Args: "OBJECT|PATTERN [REV...]", Short: "Find the commits that hold an object or a name", Ours: true, JSON: true, Pager: true,
		Long:    findText,
		Options: []cli.Option{cli.Flag(&o.commits, "commits", "", "All commits that hold it, not only the first and the last")},
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
		Run: o.run,
	}
}

func (o *findOptions) run(ctx context.Context, inv *cli.Invocation) error {
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
	if len(rows) == 0 && failed == nil && isAbbreviated(inv.Args[0]) {
		rows, failed = findCommit(ctx, inv, repo, starts)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	p := &findPrinter{inv: inv, repo: repo, commits: o.commits}
	if err := p.print(ctx, rows); err != nil {
		return err
	}
	return failed
}

// isAbbreviated reports whether a text may be the beginning of a checksum.
func isAbbreviated(text string) bool {
	return 7 <= len(text) && len(text) < 64 && strings.Trim(text, "0123456789abcdef") == ""
}

// findCommit takes OBJECT for the beginning of a commit's checksum, once it is no name. Other objects
// are too many to look through.
func findCommit(ctx context.Context, inv *cli.Invocation, repo *objstore.Repo, starts []start) ([]findRow, error) {
	sum, found, err := tryRev(repo, inv.Args[0])
	if err != nil {
		return nil, daemon.WithRemedy(err)
	}
	if !found {
		inv.Note("hint: no name and no commit is like that; of another OBJECT the whole checksum is needed")
		return nil, nil
	}
	target, err := history.ParseTarget(sum.String())
	if err != nil {
		return nil, err
	}
	return findAll(ctx, inv, history.NewFinder(repo, target), starts)
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
	rows, failed, others := []findRow(nil), error(nil), 0
	for _, s := range starts {
		list, err := []history.Found(nil), s.err
		if err == nil {
			list, err = f.History(ctx, s.sum)
		}
		for _, found := range list {
			rows = append(rows, findRow{s.name, found})
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

// findRow is a path in a history.
type findRow struct {
	rev string
	history.Found
}

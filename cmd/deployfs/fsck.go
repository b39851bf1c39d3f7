package main

import (
	"context"
	"errors"
	"fmt"

	"deployfs/cmd/internal/cli"
	"deployfs/objstore"
	"deployfs/objstore/fsck"
	"deployfs/objstore/object"
)

func fsckVerb() cli.Verb {
	o := &fsckOptions{}
	return cli.Verb{
		Name: "fsck", Short: "Check the repository for consistency", Long: fsckText, JSON: true,
		Options: []cli.Option{
			cli.Flag(&o.AddTombstones, "add-tombstones", "", "Add tombstones for missing commits"),
			cli.Flag(&o.quiet, "quiet", "q", "Only print error messages"),
			cli.Flag(&o.All, "all", "a", "Don't stop on first error"),
			cli.Flag(&o.Delete, "delete", "", "Remove corrupted objects"),
			cli.Flag(&o.VerifyBindings, "verify-bindings", "", "Verify ref bindings"),
			cli.Flag(&o.VerifyBackRefs, "verify-back-refs", "", "Verify back-references (implies --verify-bindings)"),
		},
		Examples: []cli.Example{
			{Command: "deployfs fsck --all", Text: "all that is wrong, not only the first"},
			{Command: "deployfs fsck --delete", Text: "remove corrupt objects; a pull of the commits fetches them again"},
		},
		Complete: func(*cli.Invocation, string) cli.Completion { return cli.Completion{} },
		Run:      withRepo(o.run),
	}
}

const fsckText = `Checks that each ref names a commit, and that each commit which is not partial has all that it needs: every object is read, on all processors, and must be what its name says. What no commit needs is not looked at.

An object that is absent is named with the commits that need it; these are marked as partial, so that a pull fetches it. The first corrupt object ends the check, unless --all or --delete is given; --delete removes it, and then it is absent. One that can't be read for another reason is never removed. As long as commits are marked so, each check fails.

Everything else than what a writer would make is taken for corrupt, even where ostree reads it: metadata in no normal form, directories in no order, detached metadata that can't be read, content of another size than the header says.

With --all or --delete a directory that is absent does not end the check, as it does with ostree. Where ostree takes the child of an absent commit away, --add-tombstones leaves a tombstone for the absent commit itself. --verify-back-refs implies --verify-bindings for refs, too. Commits and objects are named in the order of their checksums.

The repository's lock is held, the shared one, so that nobody prunes meanwhile; with --delete the exclusive one.`

type fsckOptions struct {
	fsck.Options
	quiet bool
}

// fscker is one run of the verb.
type fscker struct {
	inv      *cli.Invocation
	quiet    bool
	count    fsck.Count
	progress *fsckProgress
	found    fsckJSON
}

func (o *fsckOptions) run(ctx context.Context, inv *cli.Invocation, repo *objstore.Repo) error {
	f := &fscker{inv: inv, quiet: o.quiet, found: newFsckJSON(repo)}
	f.startProgress()
	options := o.Options
	options.Events = f.events()
	result, err := fsck.Run(ctx, repo, options, &f.count)
	f.progress.stop()
	if inv.JSON {
		return errors.Join(f.writeJSON(result, err), err)
	}
	return f.end(result, o.AddTombstones, err)
}

// events print what ostree prints meanwhile.
func (f *fscker) events() fsck.Events {
	if f.inv.JSON {
		return f.found.events()
	}
	return fsck.Events{
		Refs:        func() { f.say("Validating refs...") },
		Collections: func() { f.say("Validating refs in collections...") },
		Commits:     func() { f.say("Enumerating commits...") },
		Objects:     func(n int) { f.say(fmt.Sprintf("Verifying content integrity of %d commit objects...", n)) },
		Checked:     f.progress.checked,
		Problem:     func(p fsck.Problem) { f.tell(p.Error()) },
		Partial:     func(sum object.Checksum) { f.tell("Marking commit as partial: " + sum.String()) },
		Tombstone:   func(sum object.Checksum) { f.line("Adding tombstone for commit " + sum.String()) },
	}
}

// say prints what is of no interest to who wants quiet.
func (f *fscker) say(text string) {
	if !f.quiet {
		f.line(text)
	}
}

func (f *fscker) line(text string) {
	f.progress.aside(func() {
		fmt.Fprintln(f.inv.Stdout, text)
		f.inv.Stdout.Flush()
	})
}

func (f *fscker) tell(text string) {
	f.progress.aside(func() { fmt.Fprintln(f.inv.Stderr, text) })
}

// end prints ostree's last lines.
func (f *fscker) end(r fsck.Result, tombstones bool, err error) error {
	var partial *fsck.PartialError
	whole := err == nil || errors.Is(err, fsck.ErrCorrupt) || errors.As(err, &partial)
	if whole && r.Partial > 0 && !tombstones {
		fmt.Fprintf(f.inv.Stdout, "%d partial commits not verified\n", r.Partial)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f.inv.Stdout, "object fsck of %d commits completed successfully - no errors found.\n", r.Commits)
	return err
}

// fsckJSON is what was checked, and what is wrong.
type fsckJSON struct {
	Repo       string            `json:"repo"`
	Commits    int               `json:"commits"` // that are not partial
	Partial    int               `json:"partial"` // commits that were so before
	Objects    int64             `json:"objects"` // that were checked
	Bytes      int64             `json:"bytes"`   // of content
	Problems   []fsckProblemJSON `json:"problems"`
	Marked     []string          `json:"marked"` // commits that are partial now
	Tombstones []string          `json:"tombstones"`
	Error      string            `json:"error,omitempty"`
}

type fsckProblemJSON struct {
	Object  string   `json:"object"`
	Missing bool     `json:"missing"`
	Commits []string `json:"commits"` // that need it; empty when a ref led there
	Reason  string   `json:"reason"`
}

func newFsckJSON(repo *objstore.Repo) fsckJSON {
	return fsckJSON{Repo: repo.Path(), Problems: []fsckProblemJSON{}, Marked: []string{}, Tombstones: []string{}}
}

func (j *fsckJSON) events() fsck.Events {
	return fsck.Events{
		Problem:   func(p fsck.Problem) { j.add(&p) },
		Partial:   func(sum object.Checksum) { j.Marked = append(j.Marked, sum.String()) },
		Tombstone: func(sum object.Checksum) { j.Tombstones = append(j.Tombstones, sum.String()) },
	}
}

func (j *fsckJSON) add(p *fsck.Problem) {
	one := fsckProblemJSON{Object: p.Name(), Missing: p.Missing, Commits: []string{}, Reason: p.Reason()}
	for _, sum := range p.Commits {
		one.Commits = append(one.Commits, sum.String())
	}
	j.Problems = append(j.Problems, one)
}

func (f *fscker) writeJSON(r fsck.Result, err error) error {
	j := &f.found
	j.Commits, j.Partial = r.Commits, r.Partial
	j.Objects, j.Bytes = f.count.Objects.Load(), f.count.Bytes.Load()
	var last *fsck.Problem
	if errors.As(err, &last) {
		j.add(last)
	}
	if err != nil {
		j.Error = err.Error()
	}
	return cli.WriteJSON(f.inv.Stdout, j)
}

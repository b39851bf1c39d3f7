package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"deployfs/cmd/internal/cli"
	"deployfs/mount/bisect"
	"deployfs/mount/daemon"
	"deployfs/objstore/history"
	"deployfs/objstore/object"
)

// show tells how far the search has come, in git's words, and has the commit
// mounted that is to be tested.
func (b *bisecting) show(ctx context.Context, step bisect.Step) error {
	switch {
	case step.Waiting:
		return b.waiting(step)
	case step.Found:
		return b.found(step.Bad)
	case step.Stuck:
		b.suspects(step)
		return errStuck
	}
	if err := b.session.Mount(ctx); err != nil {
		return err
	}
	if err := b.testing(step); err != nil {
		return err
	}
	_, err := fmt.Fprintf(b.inv.Stdout, "mounted at %s\n", daemon.Line(b.session.Mountpoint))
	return err
}

func (b *bisecting) waiting(step bisect.Step) error {
	text := "waiting for both good and bad commits"
	switch {
	case !step.Bad.IsZero():
		text = "waiting for good commit(s), bad commit known"
	case len(step.Good) > 0:
		text = "waiting for bad commit, " + count(len(step.Good), "good commit") + " known"
	}
	_, err := fmt.Fprintf(b.inv.Stdout, "status: %s\n", text)
	return err
}

func (b *bisecting) testing(step bisect.Step) error {
	c, err := b.repo.Commit(step.Test)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(b.inv.Stdout, "Bisecting: %s left to test after this (roughly %s)\n%s\n",
		count(step.Left, "revision"), count(step.Steps, "step"), label(step.Test.String(), history.NewBrief(history.Commit{Commit: c}).Subject))
	return err
}

// count is a number of things: 1 step, 2 steps.
func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// label is how git names a commit to people. The subject is somebody else's.
func label(sum, subject string) string {
	if subject == "" {
		subject = "(no subject)"
	}
	return "[" + sum + "] " + strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return '?'
		}
		return r
	}, subject)
}

func (b *bisecting) found(sum object.Checksum) error {
	fmt.Fprintf(b.inv.Stdout, "%s is the first bad commit\n", sum)
	name := object.Name{Checksum: sum, Kind: object.KindCommit}
	data, err := b.repo.Metadata(name)
	if err != nil {
		return err
	}
	s := newShower(b.repo, b.inv)
	return s.dump(name, data)
}

// errStuck ends a search in which only skipped commits are left.
const errStuck = cli.Words("We cannot bisect more!")

func (b *bisecting) suspects(step bisect.Step) {
	fmt.Fprintln(b.inv.Stdout, "There are only 'skip'ped commits left to test.\nThe first bad commit could be any of:")
	for _, sum := range step.Suspects {
		fmt.Fprintln(b.inv.Stdout, sum)
	}
}

// runTests lets a command say what commits are, until the first bad one is found.
func runTests(ctx context.Context, b *bisecting) error {
	if len(b.args) == 0 {
		return &cli.UsageError{Text: "run needs a command"}
	}
	if err := b.open(); err != nil {
		return err
	}
	defer b.session.Close()
	step, err := b.session.Step(ctx)
	for first := true; ; first = false {
		switch {
		case err != nil:
			return err
		case step.Waiting:
			b.waiting(step)
			return &daemon.Failure{Text: "bisect run can't begin", Remedy: "say by `deployfs bisect good REV` and `deployfs bisect bad REV` what is known"}
		case step.Found || step.Stuck:
			return b.ended(ctx, step)
		case !first:
			if err := b.testing(step); err != nil {
				return err
			}
		}
		step, err = b.test(ctx)
	}
}

// test runs the command once.
func (b *bisecting) test(ctx context.Context) (step bisect.Step, err error) {
	if err := b.session.Mount(ctx); err != nil {
		return step, err
	}
	fmt.Fprintf(b.inv.Stdout, "running %s\n", quoted(b.args))
	if err := b.inv.Stdout.Flush(); err != nil {
		return step, err
	}
	is, err := b.session.Test(ctx, b.args)
	if err != nil {
		return step, err
	}
	said, err := b.tested(is)
	if err != nil {
		return step, err
	}
	return b.session.Mark(ctx, said...)
}

// ended tells what a run has found.
func (b *bisecting) ended(ctx context.Context, step bisect.Step) error {
	err := b.show(ctx, step)
	if err == nil {
		_, err = fmt.Fprintln(b.inv.Stdout, "bisect found first bad commit")
	}
	return err
}

// quoted is a command as a shell takes it.
func quoted(args []string) string {
	var words []string
	for _, arg := range args {
		words = append(words, "'"+strings.ReplaceAll(arg, "'", `'\''`)+"'")
	}
	return strings.Join(words, " ")
}

// bisectLog prints what was said, as commands.
func bisectLog(_ context.Context, b *bisecting) error {
	s, err := bisect.Read(b.repo.Path())
	if err != nil {
		return err
	}
	if b.inv.JSON {
		return cli.WriteJSON(b.inv.Stdout, s.Log)
	}
	start := "deployfs bisect start"
	if own, err := bisect.OwnMountpoint(b.repo.Path()); err != nil || own != s.Mountpoint {
		start += " --mountpoint=" + quoted([]string{s.Mountpoint})
	}
	fmt.Fprintln(b.inv.Stdout, start)
	for _, m := range s.Log {
		fmt.Fprintf(b.inv.Stdout, "# %s: %s\n", m.Is, label(m.Commit, m.Subject))
		if m.Is != bisect.First {
			fmt.Fprintf(b.inv.Stdout, "deployfs bisect %s %s\n", m.Is, m.Commit)
		}
	}
	return nil
}

// bisectStatus tells how far a search has come, and changes nothing.
func bisectStatus(ctx context.Context, b *bisecting) error {
	state, err := bisect.Read(b.repo.Path())
	if err != nil {
		return err
	}
	step, err := state.Look(ctx, b.repo)
	if err != nil {
		return err
	}
	switch {
	case b.inv.JSON:
		return cli.WriteJSON(b.inv.Stdout, newBisectJSON(state, step))
	case step.Waiting:
		return b.waiting(step)
	case step.Found:
		return b.found(step.Bad)
	case step.Stuck:
		b.suspects(step)
		return nil
	}
	if err := b.testing(step); err != nil {
		return err
	}
	return b.place(b.inv.Stdout, state)
}

func (b *bisecting) place(w io.Writer, state bisect.State) error {
	format := "mounted at %s\n"
	if !state.Mounted() {
		format = "not mounted at %s: `deployfs bisect resume` does it\n"
	}
	_, err := fmt.Fprintf(w, format, daemon.Line(state.Mountpoint))
	return err
}

// bisectJSON is what status prints as JSON. Checksums are absent when they are not known.
type bisectJSON struct {
	State      string   `json:"state"` // waiting, testing, found or stuck
	Mountpoint string   `json:"mountpoint"`
	Mounted    bool     `json:"mounted"` // the commit under test
	Testing    string   `json:"testing,omitempty"`
	Bad        string   `json:"bad,omitempty"`      // the oldest; when found, the first bad commit
	Good       []string `json:"good"`               // the newest; while waiting, all
	Left       int      `json:"left"`               // revisions to test after this one, at most
	Steps      int      `json:"steps"`              // about
	Suspects   []string `json:"suspects,omitempty"` // when stuck
}

func newBisectJSON(s bisect.State, step bisect.Step) bisectJSON {
	j := bisectJSON{State: "testing", Mountpoint: s.Mountpoint, Good: []string{}, Left: step.Left, Steps: step.Steps}
	switch {
	case step.Waiting:
		j.State = "waiting"
	case step.Found:
		j.State = "found"
	case step.Stuck:
		j.State = "stuck"
	default:
		j.Testing, j.Mounted = step.Test.String(), s.Mounted()
	}
	if !step.Bad.IsZero() {
		j.Bad = step.Bad.String()
	}
	for _, sum := range step.Good {
		j.Good = append(j.Good, sum.String())
	}
	for _, sum := range step.Suspects {
		j.Suspects = append(j.Suspects, sum.String())
	}
	return j
}

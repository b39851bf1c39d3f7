package main

import (
	"context"
	"fmt"
	"slices"

	"deployfs/cmd/internal/cli"
	"deployfs/mount/bisect"
	"deployfs/mount/daemon"
	"deployfs/objstore"
	"deployfs/objstore/object"
)

type bisectOptions struct {
	good, bad  []string
	mountpoint string
}

func bisectVerb() cli.Verb {
	o := &bisectOptions{}
	return cli.Verb{
		Name: "bisect", Args: "start|good|bad|skip|run|status|log|resume|reset [ARG...]", Ours: true, JSON: true,
		Short: "Find the commit that broke something, by mounting half-way ones",
		Long:  bisectText,
		Options: []cli.Option{
			stringsOption(&o.good, "good", "REV", "With start: a good commit (may be specified multiple times)"),
			stringsOption(&o.bad, "bad", "REV", "With start: a bad commit"),
			cli.String(&o.mountpoint, "mountpoint", "", "DIR", "With start: mount commits at DIR (a directory of its own)"),
		},
		Examples: []cli.Example{
			{Command: "deployfs bisect start os/main 1f3a", Text: "the ref's commit is bad, the one that begins with 1f3a was good"},
			{Command: "deployfs bisect run sh -c 'test ! -e $1/etc/broken' -", Text: "let a command say which commits are good"},
			{Command: "deployfs bisect run ./boot-test --quick", Text: "runs ./boot-test --quick MOUNTPOINT for each commit"},
			{Command: "deployfs bisect reset", Text: "end it, and take the mount away"},
		},
		Ends:     func(args []string) bool { return len(args) == 2 && args[0] == "run" },
		Complete: completeBisect,
		Run:      o.run,
	}
}

const bisectText = `Somewhere between a commit that is good and a later one that is bad, something broke. The commit in the middle is mounted; you look at it and say good or bad, and the half that is left is halved again: thousand commits take ten steps. Good and bad may also stand for old and new, fast and slow, or any other change.

start BAD GOOD, or start --good=GOOD REF, begins. What is not said yet can be said later by good and bad. Commits are those that BAD leads to through its parents.

good, bad and skip say what the mounted commit is, or the REV that they name. skip is for a commit that can't be tested; another one close by is taken, and when at last only such are left, all that may be the first bad one are listed.

run CMD [ARG...] goes on by itself: it calls CMD with the mountpoint as last argument and in $DEPLOYFS_BISECT_MOUNT, and the commit's checksum in $DEPLOYFS_BISECT_COMMIT. Exit status 0 means good, 125 skip, others below 128 bad; 128 and above, and a signal, end the run without a verdict. Options behind CMD are CMD's. It can be interrupted, and run again.

status tells how far it has come, and log what was said. resume mounts the commit again after a reboot, which run does by itself. reset takes the mount away and forgets everything, also what can't be read any more.

The search is kept in $XDG_STATE_HOME/deployfs/bisect, or ~/.local/state/deployfs/bisect, one for each repository, and survives a crash at any time. Where the commits are mounted, mnt below it, or --mountpoint, is printed with each step. It is a mount as deployfs mount makes it, but without a tree index, since it is looked at once.`

func (o *bisectOptions) run(ctx context.Context, inv *cli.Invocation) error {
	verbs := map[string]func(context.Context, *bisecting) error{
		"start": o.start, "good": mark(bisect.Good), "bad": mark(bisect.Bad), "skip": mark(bisect.Skipped),
		"run": runTests, "status": bisectStatus, "log": bisectLog, "resume": resume, "reset": reset,
	}
	if len(inv.Args) == 0 {
		return &cli.UsageError{Text: "say what to do: start, good, bad, skip, run, status, log, resume or reset"}
	}
	name := inv.Args[0]
	do, ok := verbs[name]
	switch {
	case !ok:
		return &cli.UsageError{Text: fmt.Sprintf("no such thing to do: %s", daemon.Line(name))}
	case name != "start" && (o.good != nil || o.bad != nil || o.mountpoint != ""):
		return &cli.UsageError{Text: "--good, --bad and --mountpoint go with start"}
	case inv.JSON && name != "status" && name != "log":
		return &cli.UsageError{Text: "--json goes with status and log"}
	case len(inv.Args) > 1 && slices.Contains([]string{"status", "log", "resume", "reset"}, name):
		return &cli.UsageError{Text: name + " takes no argument"}
	}
	repo, err := openRepo(inv)
	if err == nil {
		defer repo.Close()
		err = do(ctx, &bisecting{inv: inv, repo: repo, args: inv.Args[1:]})
	}
	return daemon.WithRemedy(err)
}

// bisecting is one run of the verb.
type bisecting struct {
	inv     *cli.Invocation
	repo    *objstore.Repo
	args    []string
	session *bisect.Session
}

// open goes on with the search that is under way.
func (b *bisecting) open() (err error) {
	b.session, err = bisect.Open(b.repo)
	return err
}

// start reads BAD GOOD... or the options.
func (o *bisectOptions) start(ctx context.Context, b *bisecting) error {
	bad, good := o.bad, o.good
	if len(b.args) > 0 {
		bad, good = append(bad, b.args[0]), append(good, b.args[1:]...)
	}
	if len(bad) > 1 {
		return &cli.UsageError{Text: "one bad commit is enough"}
	}
	said, err := b.resolve(bisect.Bad, bad)
	if err != nil {
		return err
	}
	more, err := b.resolve(bisect.Good, good)
	if err != nil {
		return err
	}
	var step bisect.Step
	if b.session, step, err = bisect.Start(ctx, b.repo, o.mountpoint, append(said, more...)...); err != nil {
		return err
	}
	defer b.session.Close()
	if replaced := b.session.Replaced; replaced != nil {
		fmt.Fprintf(b.inv.Stderr, "%v; a new one takes its place\n", replaced)
	}
	return b.show(ctx, step)
}

func (b *bisecting) resolve(is bisect.Kind, revs []string) (said []bisect.Said, err error) {
	for _, rev := range revs {
		sum, err := b.repo.Resolve(rev)
		if err != nil {
			return nil, err
		}
		said = append(said, bisect.Said{Is: is, Commit: sum})
	}
	return said, nil
}

// mark says what the commit under test is, or those that are named.
func mark(is bisect.Kind) func(context.Context, *bisecting) error {
	return func(ctx context.Context, b *bisecting) error {
		said, err := b.resolve(is, b.args)
		if err != nil {
			return err
		}
		if err := b.open(); err != nil {
			return err
		}
		defer b.session.Close()
		if said == nil {
			if said, err = b.tested(is); err != nil {
				return err
			}
		}
		step, err := b.session.Mark(ctx, said...)
		if err != nil {
			return err
		}
		return b.show(ctx, step)
	}
}

// tested says it of the commit under test, which has to be mounted: nobody has
// seen it otherwise.
func (b *bisecting) tested(is bisect.Kind) ([]bisect.Said, error) {
	sum, err := object.ParseChecksum(b.session.Testing)
	if err != nil {
		return nil, &daemon.Failure{Text: "no commit is being tested", Remedy: fmt.Sprintf("name one: `deployfs bisect %s REV`", is)}
	}
	if !b.session.Mounted() {
		return nil, &daemon.Failure{
			Text:   fmt.Sprintf("commit %s is to be tested, but is not mounted at %s", sum, daemon.Line(b.session.Mountpoint)),
			Remedy: "`deployfs bisect resume` mounts it",
		}
	}
	return []bisect.Said{{Is: is, Commit: sum}}, nil
}

// resume mounts the commit under test, where that is not so.
func resume(ctx context.Context, b *bisecting) error {
	if err := b.open(); err != nil {
		return err
	}
	defer b.session.Close()
	step, err := b.session.Step(ctx)
	if err != nil {
		return err
	}
	return b.show(ctx, step)
}

func reset(_ context.Context, b *bisecting) error {
	return bisect.Reset(b.repo)
}

// completeBisect completes what to do, then refs.
func completeBisect(inv *cli.Invocation, word string) cli.Completion {
	switch {
	case len(inv.Args) == 0:
		return cli.Completion{Words: []string{"start", "good", "bad", "skip", "run", "status", "log", "resume", "reset"}}
	case slices.Contains([]string{"start", "good", "bad", "skip"}, inv.Args[0]):
		return completeRevs(inv, word)
	case inv.Args[0] == "run":
		return cli.Completion{Files: true}
	}
	return cli.Completion{}
}

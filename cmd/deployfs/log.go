package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"deployfs/cmd/internal/cli"
	"deployfs/mount/daemon"
	"deployfs/objstore"
	"deployfs/objstore/facts"
	"deployfs/objstore/history"
	"deployfs/objstore/object"
	"deployfs/objstore/sign"
)

const logText = `With one or more PATHs behind --, only the commits are shown in which one of them changed: its content, mode, owner or xattrs, or that it is there at all; for a directory, anything in it. PATHs are from the root of the tree on, with or without a leading slash, and are not patterns. To see them all, in the oldest commit what is there counts as a change.

A commit's own time decides for --since and --until, both of which are inclusive. They take what commands take as a date: 2024-05-01, "2024-05-01 14:30", yesterday, "2 weeks ago", @1700000000. --grep takes a regular expression (RE2) that one of the lines of subject or body must match; given several times, one of them must.

--stat tells how many paths, directories among them, each commit changed, added and removed (below the PATHs, when there are some), and after + and - the bytes of content that are in it and not in its parent at that path, and the other way round; for sizes on disk see du.

Where the repository does not hold the parent of the last commit, all that is in that counts as added, and with PATHs, --oneline or --stat a ^ stands before its checksum; in JSON shallow is true. That the history goes on is said in the last line, with an option or a PATH on stderr.

` + farText + ` The parents are fetched one after the other, as far as the server has them.

Without these options the output is ostree's.`

type logOptions struct {
	raw, oneline, stat, graphless, verdicts bool

	max    int // -1 is no bound
	period period
	grep   grep
}

func logVerb() cli.Verb {
	o := &logOptions{max: -1}
	count := cli.Func(o.setMax, "max-count", "n", "N", "Show N commits at most; -N is short for it")
	count.Ours, count.Count = true, true
	signatures := cli.Flag(&o.verdicts, "show-signature", "", "Check the commits' signatures, as show does")
	signatures.Ours = true
	return cli.Verb{
		Name: "log", Args: "REV [-- PATH...]", Short: "Show log starting at commit or ref", JSON: true, Pager: true,
		Long: logText,
		Options: []cli.Option{
			cli.Flag(&o.raw, "raw", "", "Show raw variant data"),
			count,
			cli.Func(o.period.setSince, "since", "", "DATE", "Only commits that are not older"),
			cli.Func(o.period.setUntil, "until", "", "DATE", "Only commits that are not newer"),
			cli.Func(o.grep.add, "grep", "", "REGEXP", "Only commits whose subject or body matches"),
			cli.Flag(&o.oneline, "oneline", "", "One line a commit: checksum, version, subject"),
			cli.Flag(&o.stat, "stat", "", "The size of each commit's change"),
			signatures,
			cli.Flag(&o.graphless, "graph-less", "", "No graph is drawn, as always: history is a line"),
		},
		Examples: []cli.Example{
			{Command: "deployfs log os/main", Text: "all commits of the ref that are here, newest first"},
			{Command: "deployfs log --oneline os/main -- /etc /usr/lib/os-release", Text: "those that changed one of the two"},
			{Command: "deployfs log --stat --since='2 weeks ago' os/main", Text: "what came in lately, and how much"},
			{Command: "deployfs log -5 --oneline https://example.org/repo#os/main", Text: "the newest five that a server has"},
			{Command: "deployfs log --json os/main | jq -r '.[] | .checksum + \" \" + .version'", Text: "one line for each, for scripts"},
		},
		Complete: completeLog,
		Run:      withFar(false, o.run),
	}
}

func (o *logOptions) setMax(text string) (err error) {
	if o.max, err = strconv.Atoi(text); err != nil || o.max < 0 {
		err = fmt.Errorf("'%s' is no number of commits", text)
	}
	return err
}

func (o *logOptions) run(ctx context.Context, inv *cli.Invocation, repo *objstore.Repo) error {
	if len(inv.Args) == 0 {
		return &cli.UsageError{Text: "A rev argument is required"}
	}
	paths := inv.Args[max(inv.Before, 1):]
	if ignored := len(inv.Args) - len(paths) - 1; ignored > 0 && o.ours(inv) {
		return &cli.UsageError{Text: "A PATH must stand behind --"}
	} else if ignored > 0 { // by ostree, too
		inv.Note(fmt.Sprintf("hint: '%s' is ignored: a PATH must stand behind --", daemon.Line(inv.Args[1])))
	}
	sum, err := repo.Resolve(inv.Args[0])
	if err != nil {
		return err
	}
	l := &logger{logOptions: o, shower: newShower(repo, inv), store: &counted{Repo: repo}, paths: paths, list: []logEntry{}}
	l.shower.raw = o.raw
	err = l.history(ctx, sum)
	switch {
	case inv.JSON && (err == nil || errors.Is(err, history.ErrShallow)):
		return cli.WriteJSON(inv.Stdout, l.list)
	case errors.Is(err, history.ErrShallow):
		return l.goesOn()
	}
	return err
}

// ours reports whether there is an option that ostree does not have.
func (o *logOptions) ours(inv *cli.Invocation) bool {
	return inv.JSON || o.oneline || o.stat || o.verdicts || o.max >= 0 || o.period != period{} || o.grep != nil
}

// matches tells whether a commit's time and words are what is asked for.
func (o *logOptions) matches(c history.Commit) bool {
	return o.period.holds(c.Timestamp) && o.grep.matches(c.Subject, c.Body)
}

// logger prints commits, or collects them for JSON.
type logger struct {
	*logOptions
	shower
	store *counted
	begin func() // takes the progress away
	paths []string
	list  []logEntry
}

// history goes through the commits.
func (l *logger) history(ctx context.Context, sum object.Checksum) error {
	if l.max == 0 {
		return nil
	}
	l.begin = sync.OnceFunc(func() {})
	if l.slow() {
		progress := l.store.start(l.inv)
		l.begin = sync.OnceFunc(func() { progress.Stop("") })
	}
	defer l.begin()
	filter := history.Filter{Max: max(l.max, 0), Match: l.matches, Paths: l.paths}
	return history.Log(ctx, l.store, sum, filter, func(c history.Commit) error { return l.commit(ctx, c) })
}

// slow reports whether a commit may be long in coming.
func (l *logger) slow() bool { return l.stat || len(l.paths) > 0 }

// marks reports whether a commit is marked whose parent is not here. Elsewhere the output is ostree's.
func (l *logger) marks() bool { return l.slow() || l.oneline || l.json }

// goesOn says that the history does, as ostree does where the output is ostree's.
func (l *logger) goesOn() (err error) {
	const text = "<< History beyond this commit not fetched >>"
	if l.ours(l.inv) || len(l.paths) > 0 {
		l.inv.Note(text)
	} else {
		_, err = fmt.Fprintln(l.out, text)
	}
	return err
}

// isShallow reports whether a commit's parent is not here.
func (l *logger) isShallow(c history.Commit) (bool, error) {
	if c.Parent.IsZero() || !l.marks() {
		return false, nil
	}
	here, err := l.repo.HasObject(object.Name{Checksum: c.Parent, Kind: object.KindCommit})
	return !here, err
}

// logEntry is a commit in JSON.
type logEntry struct {
	facts.Commit
	Shallow bool     `json:"shallow,omitempty"` // its parent is not in the repository
	Stat    *logStat `json:"stat,omitempty"`
}

func (l *logger) commit(ctx context.Context, c history.Commit) (err error) {
	var stat *logStat
	shallow, err := l.isShallow(c)
	if err != nil {
		return err
	}
	if l.stat {
		if stat, err = l.measure(ctx, c); err != nil {
			return fmt.Errorf("commit %s: %w", c.Checksum, err)
		}
	}
	if l.json {
		j, err := l.facts(c)
		l.list = append(l.list, logEntry{j, shallow, stat})
		return err
	}
	l.begin()
	if err = l.print(c, shallow); err == nil && l.verdicts {
		err = l.signatures(c)
	}
	if err == nil && stat != nil {
		err = l.printStat(*stat, shallow)
	}
	if err == nil && l.slow() {
		err = l.inv.Stdout.Flush()
	}
	return err
}

// facts are what JSON tells of a commit.
func (l *logger) facts(c history.Commit) (facts.Commit, error) {
	if !l.verdicts {
		return facts.Of(l.repo, c.Checksum, c.Commit)
	}
	data, err := l.repo.Metadata(object.Name{Checksum: c.Checksum, Kind: object.KindCommit})
	if err != nil {
		return facts.Commit{}, err
	}
	return l.commitJSON(c.Checksum, c.Commit, data)
}

// signatures tells what a commit's signatures are worth.
func (l *logger) signatures(c history.Commit) error {
	data, err := l.repo.Metadata(object.Name{Checksum: c.Checksum, Kind: object.KindCommit})
	if err != nil {
		return err
	}
	detached, _, err := l.repo.CommitMeta(c.Checksum)
	if err != nil || len(sign.Schemes(detached)) == 0 {
		return err
	}
	if err := l.printVerdicts("Found %s:", data, detached); err != nil {
		return err
	}
	_, err = fmt.Fprintln(l.out)
	return err
}

func (l *logger) print(c history.Commit, shallow bool) error {
	name := object.Name{Checksum: c.Checksum, Kind: object.KindCommit}
	switch {
	case l.oneline:
		_, err := fmt.Fprintln(l.out, l.line(c, shallow))
		return err
	case l.shower.raw:
		data, err := l.repo.Metadata(name)
		if err != nil {
			return err
		}
		return l.dump(name, data)
	}
	if shallow {
		fmt.Fprintln(l.out, l.paint(cli.Commit, "commit ^"+c.Checksum.String()))
	} else {
		l.heading(name)
	}
	return printCommit(l.out, c.Commit)
}

// line is a commit in one line.
func (l *logger) line(c history.Commit, shallow bool) string {
	b := history.NewBrief(c)
	words := []string{l.paint(cli.Commit, shortBrief(b, shallow))}
	if b.Version != "" {
		words = append(words, "("+daemon.Line(b.Version)+")")
	}
	return strings.Join(append(words, subjectOf(b)), " ")
}

// subjectOf is a commit's subject as it can stand in a line.
func subjectOf(b history.Brief) string {
	if b.Subject == "" {
		return "(no subject)"
	}
	return daemon.Line(b.Subject)
}

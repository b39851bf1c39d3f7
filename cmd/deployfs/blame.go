package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"path"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"deployfs/cmd/internal/cli"
	"deployfs/mount/daemon"
	"deployfs/objstore"
	"deployfs/objstore/facts"
	"deployfs/objstore/history"
	"deployfs/objstore/object"
	"deployfs/objstore/tree"
)

const blameText = `Each line is an entry of the directory PATH, or of the root: the commit that changed it last, that commit's time in UTC and its subject, or its version when it has no subject, and the entry's name. The last change of a directory is that of anything in it. PATH may also be a file.

In place of REV and PATH one REV:PATH is taken, by the rule of show and cat.

A commit with ^ before it is the oldest one that is here, though not the first of all: the change may be older.

Of each commit no more is read than the directories on the way to PATH, and the search ends with the commit that accounts for the last entry.`

type blameOptions struct{ recursive bool }

func blameVerb() cli.Verb {
	o := new(blameOptions)
	return cli.Verb{
		Name: "blame", Args: "REV [-- PATH] | REV:PATH", Short: "Show which commit changed each entry of a directory last", Ours: true, JSON: true, Pager: true,
		Long:    blameText,
		Options: []cli.Option{cli.Flag(&o.recursive, "recursive", "r", "Everything below the directory, too")},
		Examples: []cli.Example{
			{Command: "deployfs blame os/main -- /usr/lib", Text: "when each entry of /usr/lib came to be what it is"},
			{Command: "deployfs blame -r --json os/main -- /etc | jq -r '.[] | select(.commit.version == \"42.1\") | .path'", Text: "what version 42.1 brought below /etc"},
		},
		Complete: completeEither,
		Run:      o.run,
	}
}

func (o *blameOptions) run(ctx context.Context, inv *cli.Invocation) error {
	if len(inv.Args) != 1 && len(inv.Args) != 2 {
		return &cli.UsageError{Text: "one REV is needed, and one PATH is taken"}
	}
	repo, err := openRepo(inv)
	if err != nil {
		return err
	}
	defer repo.Close()
	sum, name, err := blamePlace(repo, inv.Args)
	if err != nil {
		return err
	}
	store := &counted{Repo: repo}
	progress := store.start(inv)
	lines, err := history.Blame(ctx, store, sum, name, o.recursive)
	progress.Stop("")
	if nowhere := (*tree.Error)(nil); errors.As(err, &nowhere) {
		return fmt.Errorf("%s: %w", nowhere.Path, wordsFor(nowhere.Err))
	}
	if err != nil {
		return err
	}
	slices.SortFunc(lines, func(a, b history.Line) int { return strings.Compare(a.Entry.Path, b.Entry.Path) })
	if inv.JSON {
		return cli.WriteJSONList(inv.Stdout, blameRows(lines))
	}
	return printBlame(inv, lines, name)
}

// blamePlace reads REV, REV and PATH, or REV:PATH.
func blamePlace(repo *objstore.Repo, args []string) (sum object.Checksum, name string, err error) {
	if len(args) == 1 {
		place, found, err := findRevPath(repo, args[0])
		if found || err != nil {
			return place.commit, place.entry.Path, err
		}
	}
	sum, err = repo.Resolve(args[0])
	return sum, append(args, "/")[1], err
}

func printBlame(inv *cli.Invocation, lines []history.Line, name string) error {
	dir := strings.TrimSuffix(path.Clean("/"+name), "/") + "/"
	table := tabwriter.NewWriter(inv.Stdout, 0, 0, 2, ' ', 0)
	for _, l := range lines {
		shown, ok := strings.CutPrefix(l.Entry.Path, dir)
		if !ok {
			shown = nameOf(l.Entry)
		}
		if shown = daemon.Line(shown); l.Entry.IsDir() {
			shown += "/"
		}
		_, err := fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", inv.Paint(cli.Commit, shortBrief(l.Commit, l.Shallow)), briefTime(l.Commit, "2006-01-02 15:04"), briefWords(l.Commit), shown)
		if err != nil {
			return err
		}
	}
	return table.Flush()
}

// blameRow is a line in JSON.
type blameRow struct {
	Path      string    `json:"path"`
	PathBytes []byte    `json:"path_bytes,omitempty"`
	Type      string    `json:"type"` // "file", also of a symbolic link, or "directory"
	Commit    briefJSON `json:"commit"`
	Shallow   bool      `json:"shallow,omitempty"` // the oldest commit that is here: the change may be older
}

func blameRows(lines []history.Line) iter.Seq[blameRow] {
	return func(yield func(blameRow) bool) {
		for _, l := range lines {
			r := blameRow{Type: "file", Commit: newBriefJSON(l.Commit), Shallow: l.Shallow}
			if l.Entry.IsDir() {
				r.Type = "directory"
			}
			if r.Path, r.PathBytes = cli.Text(l.Entry.Path); !yield(r) {
				return
			}
		}
	}
}

// briefJSON is a commit in the JSON of lists.
type briefJSON struct {
	Checksum  string `json:"checksum"`
	Timestamp uint64 `json:"timestamp"`
	Date      string `json:"date,omitempty"` // RFC 3339, UTC
	Version   string `json:"version,omitempty"`
	Subject   string `json:"subject"` // its first line, a long one cut short
}

func newBriefJSON(b history.Brief) briefJSON {
	j := briefJSON{Checksum: b.Checksum.String(), Timestamp: b.Timestamp, Version: b.Version, Subject: b.Subject}
	j.Date = strings.TrimSuffix(briefTime(b, time.RFC3339), "-")
	return j
}

// shortBrief is a commit's checksum in lists, with a mark where history breaks off.
func shortBrief(b history.Brief, shallow bool) string {
	if shallow {
		return "^" + short(b.Checksum.String())
	}
	return short(b.Checksum.String())
}

// briefTime is a commit's time; "-" for one that is none.
func briefTime(b history.Brief, layout string) string {
	t, ok := facts.Time(object.Commit{Timestamp: b.Timestamp})
	if !ok {
		return "-"
	}
	return t.Format(layout)
}

// maxSubject is how much of a subject lists show, in characters.
const maxSubject = 40

// briefWords is a commit's subject, or its version.
func briefWords(b history.Brief) string {
	if b.Subject == "" && b.Version != "" {
		return "(" + daemon.Line(b.Version) + ")"
	}
	text := []rune(subjectOf(b))
	if len(text) > maxSubject {
		return string(text[:maxSubject-1]) + "…"
	}
	return string(text)
}

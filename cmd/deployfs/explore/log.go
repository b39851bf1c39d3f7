package explore

import (
	"context"
	"errors"
	"iter"
	"strings"

	tea "charm.land/bubbletea/v2"

	"deployfs/objstore/facts"
	"deployfs/objstore/history"
	"deployfs/objstore/object"
)

// logView lists commits, newest first, as far as it was scrolled.
type logView struct {
	streamed[logRow]
	rev  string
	from object.Checksum // what rev meant; zero as long as it is not known
}

// logRow is what the log shows of a commit.
type logRow struct {
	sum     object.Checksum
	date    string
	version string
	subject string
	missing bool  // it is not here: history ends before it
	err     error // why it could not be read
}

// maxSubject is as much of a subject as is kept, in bytes.
const maxSubject = 300

func newLogRow(sum object.Checksum, c object.Commit, err error) logRow {
	if err != nil {
		return logRow{sum: sum, err: err}
	}
	subject, _, _ := strings.Cut(c.Subject, "\n")
	r := logRow{sum: sum, date: date(c), subject: strings.Clone(subject[:min(len(subject), maxSubject)])}
	version, _ := facts.Version(c)
	r.version = version[:min(len(version), maxSubject)]
	return r
}

// date is a commit's time, in UTC.
func date(c object.Commit) string {
	if t, ok := facts.Time(c); ok {
		return t.Format("2006-01-02 15:04")
	}
	return "????-??-?? ??:??"
}

// narrow is a screen on which some columns are left out.
const narrow = 60

// columns are the row on a screen of that width.
func (r logRow) columns(width int) row {
	switch {
	case r.err != nil:
		return row{{short(r.sum), yellow}, {"  " + r.err.Error(), red}}
	case r.missing:
		return row{{"history goes on, but is not in this repository", dim}}
	}
	out := row{{short(r.sum), yellow}, {"  " + r.date, blue}}
	if width < narrow {
		out[1].text = "  " + r.date[:len("2006-01-02")]
	} else if r.version != "" {
		out = append(out, span{"  " + r.version, cyan})
	}
	if r.subject == "" {
		return append(out, span{"  (no subject)", dim})
	}
	return append(out, span{text: "  " + r.subject})
}

func newLog(m *Model, rev string) *logView {
	v := &logView{streamed: streamed[logRow]{m: m}, rev: rev}
	v.list.rows = v
	return v
}

func (v *logView) title() string { return v.rev }
func (v *logView) hints() string {
	return "Enter commit  t tree  Space mark  d diff  m mount  / search"
}

func (v *logView) about() string {
	switch {
	case v.stream.err != nil:
		return "log of " + v.rev + ": " + v.stream.err.Error()
	case v.busy:
		return "log of " + v.rev + ": reading …"
	}
	return "log of " + v.rev
}

// resolved is the commit that a REV means now.
type resolved struct {
	sum object.Checksum
	err error
}

func (v *logView) start() tea.Cmd {
	return load(v, func() resolved {
		sum, err := v.m.cfg.Repo.Resolve(v.rev)
		return resolved{sum, err}
	})
}

func (v *logView) update(what any) tea.Cmd {
	switch what := what.(type) {
	case resolved:
		if what.err != nil {
			v.m.fail(what.err)
			return nil
		}
		v.close()
		v.from = what.sum
		v.stream = newStream(func(ctx context.Context) iter.Seq2[logRow, error] { return v.m.cfg.commits(ctx, what.sum) })
	case batch[logRow]:
		v.came(what)
	}
	return nil
}

// commits are a commit and those before it; a row tells where they go on elsewhere.
func (c Config) commits(ctx context.Context, from object.Checksum) iter.Seq2[logRow, error] {
	return func(yield func(logRow, error) bool) {
		on := true
		err := history.Walk(ctx, c.Repo, from, func(commit history.Commit) (bool, error) {
			on = yield(newLogRow(commit.Checksum, commit.Commit, nil), nil)
			return on, nil
		})
		switch {
		case !on:
		case errors.Is(err, history.ErrShallow):
			yield(logRow{missing: true}, nil)
		case err != nil:
			yield(logRow{}, err)
		}
	}
}

func (v *logView) row(i int) row {
	r := v.items[i]
	return append(row{v.m.gutter(r.sum)}, r.columns(v.width)...)
}

func (v *logView) need() tea.Cmd { return v.ask(v) }

// current is the commit under the cursor; false where there is none.
func (v *logView) current() (object.Checksum, bool) {
	if v.cursor >= len(v.items) || v.items[v.cursor].missing {
		return object.Checksum{}, false
	}
	return v.items[v.cursor].sum, true
}

func (v *logView) shown() (p place) {
	if sum, ok := v.current(); ok {
		p.rev = sum.String()
	}
	return p
}

func (v *logView) key(key string) (tea.Cmd, bool) {
	if v.taken(key) {
		return nil, true
	}
	v.end = false
	sum, ok := v.current()
	if !ok {
		return nil, false
	}
	switch key {
	case "enter", "right", "l":
		return v.m.open(newCommit(v.m, sum)), true
	case "t", "c", "space", "d":
		return v.m.commitKey(key, sum), true
	}
	return nil, false
}

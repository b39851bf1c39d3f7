package explore

import (
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"deployfs/objstore/facts"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
)

// commitView shows what there is to know about a commit.
type commitView struct {
	list
	m      *Model
	sum    object.Checksum
	parent object.Checksum
}

// commitFound is a commit in words.
type commitFound struct {
	lines  lines
	parent object.Checksum
	err    error
}

func newCommit(m *Model, sum object.Checksum) *commitView {
	return &commitView{list: list{rows: lines{}}, m: m, sum: sum}
}

func (v *commitView) title() string { return short(v.sum) }
func (v *commitView) about() string { return "commit " + v.sum.String() }
func (v *commitView) hints() string {
	return "Enter tree  d diff  p parent  Space mark  m mount  / search"
}

func (v *commitView) start() tea.Cmd {
	return load(v, func() commitFound { return v.m.cfg.describe(v.sum) })
}

func (v *commitView) update(what any) tea.Cmd {
	if f := what.(commitFound); f.err != nil {
		v.m.fail(f.err)
	} else {
		v.rows, v.parent = f.lines, f.parent
	}
	return nil
}

// describe reads a commit, its detached metadata and the refs that name it.
func (c Config) describe(sum object.Checksum) commitFound {
	commit, err := c.Repo.Commit(sum)
	if err != nil {
		return commitFound{err: err}
	}
	out := slices.Concat(c.head(sum, commit), lines{{}}, message(commit), metadata("metadata", commit.Metadata))
	if detached, ok, err := c.Repo.CommitMeta(sum); err != nil {
		out = append(out, row{}, row{{"detached metadata: " + err.Error(), red}})
	} else if ok {
		out = append(out, metadata("detached metadata", detached)...)
	}
	return commitFound{lines: out, parent: commit.Parent}
}

// head is what a commit is, and which refs name it.
func (c Config) head(sum object.Checksum, commit object.Commit) (out lines) {
	add := func(name, value string, look style) {
		out = append(out, row{{fmt.Sprintf("%-10s", name), dim}, {value, look}})
	}
	add("commit", sum.String(), yellow)
	if !commit.Parent.IsZero() {
		add("parent", commit.Parent.String(), "")
	}
	add("content", commit.ContentChecksum().String(), "")
	add("date", date(commit)+" UTC", blue)
	if version, ok := facts.Version(commit); ok {
		add("version", version, cyan)
	}
	if refs, err := c.Repo.Refs(); err == nil {
		for _, ref := range refs {
			if ref.Checksum == sum.String() {
				add("ref", ref.String(), green)
			}
		}
	}
	if c.Repo.IsPartial(sum) {
		add("partial", "some objects may be absent", red)
	}
	return out
}

// maxMessage is as much of a message as is shown, in bytes.
const maxMessage = 1 << 20

func message(c object.Commit) (out lines) {
	subject := c.Subject
	if subject == "" {
		subject = "(no subject)"
	}
	for text := range strings.SplitSeq(limited(subject), "\n") {
		out = append(out, row{{"    " + text, bold}})
	}
	if c.Body != "" {
		out = append(out, row{})
		for text := range strings.SplitSeq(limited(c.Body), "\n") {
			out = append(out, line("    "+text))
		}
	}
	return out
}

func limited(text string) string {
	text = strings.TrimSuffix(text, "\n")
	if len(text) > maxMessage {
		return text[:maxMessage] + "\n…"
	}
	return text
}

// maxValue is the largest value of a metadata key that is written out, in bytes.
const maxValue = 4 << 10

// maxKeys is how many keys of metadata are shown.
const maxKeys = 1000

func metadata(title string, dict gvariant.Value) (out lines) {
	for i := range min(dict.Len(), maxKeys) {
		if i == 0 {
			out = append(out, row{}, row{{title, dim}})
		}
		entry := dict.At(i)
		value := entry.At(1).Variant()
		text := fmt.Sprintf("%d bytes of type %s", len(value.Bytes()), value.Type())
		if len(value.Bytes()) <= maxValue {
			text = gvariant.Print(value, true, false)
		}
		out = append(out, row{{"    " + entry.At(0).Str(), cyan}, {text: "  " + text}})
	}
	if more := dict.Len() - maxKeys; more > 0 {
		out = append(out, line(fmt.Sprintf("    and %d more keys", more)))
	}
	return out
}

func (v *commitView) need() tea.Cmd { return nil }

func (v *commitView) find(q query, how search) tea.Cmd {
	v.m.findIn(&v.list, q, how)
	return nil
}

func (v *commitView) shown() place { return place{rev: v.sum.String()} }
func (v *commitView) close()       {}

func (v *commitView) key(key string) (tea.Cmd, bool) {
	if v.move(key) {
		return nil, true
	}
	switch key {
	case "enter", "right", "l":
		key = "t"
	case "p":
		if v.parent.IsZero() {
			v.m.note("it has no parent")
			return nil, true
		}
		return v.m.open(newCommit(v.m, v.parent)), true
	case "t", "space", "d":
	default:
		return nil, false
	}
	return v.m.commitKey(key, v.sum), true
}

package explore

import (
	"fmt"
	"slices"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"

	"deployfs/objstore"
	"deployfs/objstore/object"
)

// refsView lists the refs, and keeps up with them.
type refsView struct {
	list
	m       *Model
	refs    []objstore.Ref
	commits map[object.Checksum]logRow // of refs that were on the screen
	loading bool
	ready   bool
}

// refsFound is what the repository has.
type refsFound struct {
	refs []objstore.Ref
	err  error
}

func newRefs(m *Model) *refsView {
	v := &refsView{m: m, commits: map[object.Checksum]logRow{}}
	v.list.rows = v
	return v
}

func (v *refsView) title() string { return "refs" }
func (v *refsView) hints() string {
	return "Enter log  t tree  Space mark  d diff  m mount  / search"
}

func (v *refsView) about() string {
	if v.ready && len(v.refs) == 0 {
		return v.m.cfg.Repo.Path() + ": no refs"
	}
	return v.m.cfg.Repo.Path()
}

func (v *refsView) start() tea.Cmd {
	return load(v, v.m.cfg.refs)
}

func (c Config) refs() refsFound {
	refs, err := c.Repo.Refs()
	return refsFound{refs, err}
}

func (v *refsView) update(what any) tea.Cmd {
	switch what := what.(type) {
	case refsFound:
		if what.err != nil {
			v.m.fail(what.err)
			return nil
		}
		v.set(what.refs)
	case map[object.Checksum]logRow:
		v.loading = false
		for sum, c := range what {
			v.commits[sum] = c
		}
	}
	return nil
}

// set takes what refs there are now; the cursor stays on its ref.
func (v *refsView) set(refs []objstore.Ref) {
	v.ready = true
	if slices.Equal(refs, v.refs) {
		return
	}
	name := ""
	if v.cursor < len(v.refs) {
		name = v.refs[v.cursor].String()
	}
	v.refs = refs
	for i, ref := range refs {
		if ref.String() == name {
			v.to(i)
		}
		v.m.moved(ref)
	}
}

// moved tells whoever looks at a ref's log that there is a newer commit.
func (m *Model) moved(ref objstore.Ref) {
	for _, other := range m.stack {
		if l, ok := other.(*logView); ok && l.rev == ref.String() && !l.from.IsZero() && l.from.String() != ref.Checksum {
			m.note(l.rev + " has moved: r in its log shows what is new")
		}
	}
}

func (v *refsView) count() int { return len(v.refs) }

func (v *refsView) row(i int) row {
	ref := v.refs[i]
	sum, err := object.ParseChecksum(ref.Checksum)
	name := span{fmt.Sprintf("%-*s", v.nameWidth(), ref.String()), green}
	switch c, ok := v.commits[sum]; {
	case err != nil:
		return row{{text: "  "}, name, {"  " + ref.Checksum, red}}
	case !ok:
		return row{v.m.gutter(sum), name, {"  " + short(sum), yellow}}
	default:
		return append(row{v.m.gutter(sum), name, {text: "  "}}, c.columns(v.width)...)
	}
}

// maxNameWidth is how far names of refs push what stands behind them to the right.
const maxNameWidth = 40

// nameWidth is the width of the column of names: of those on the screen.
func (v *refsView) nameWidth() (width int) {
	from, to := v.seen()
	for _, ref := range v.refs[from:to] {
		width = max(width, utf8.RuneCountInString(ref.String()))
	}
	return min(width, maxNameWidth)
}

// need reads the commits of the refs on the screen.
func (v *refsView) need() tea.Cmd {
	if v.loading {
		return nil
	}
	var missing []object.Checksum
	from, to := v.seen()
	for _, ref := range v.refs[from:to] {
		sum, err := object.ParseChecksum(ref.Checksum)
		if _, ok := v.commits[sum]; err == nil && !ok {
			missing = append(missing, sum)
		}
	}
	if missing == nil {
		return nil
	}
	v.loading = true
	return load(v, func() map[object.Checksum]logRow {
		commits := map[object.Checksum]logRow{}
		for _, sum := range missing {
			c, err := v.m.cfg.Repo.Commit(sum)
			commits[sum] = newLogRow(sum, c, err)
		}
		return commits
	})
}

func (v *refsView) find(q query, how search) tea.Cmd {
	v.m.findIn(&v.list, q, how)
	return nil
}

func (v *refsView) shown() (p place) {
	if v.cursor < len(v.refs) {
		p.rev = v.refs[v.cursor].String()
	}
	return p
}

func (v *refsView) close() {}

func (v *refsView) key(key string) (tea.Cmd, bool) {
	if v.move(key) {
		return nil, true
	}
	if v.cursor >= len(v.refs) {
		return nil, false
	}
	ref := v.refs[v.cursor]
	sum, err := object.ParseChecksum(ref.Checksum)
	switch key {
	case "enter", "right", "l":
		return v.m.open(newLog(v.m, ref.String())), true
	case "t", "c", "space", "d":
		if err != nil {
			v.m.fail(fmt.Errorf("%s: %w", ref, err))
			return nil, true
		}
		return v.m.commitKey(key, sum), true
	}
	return nil, false
}

// commitKey is what keys do at a commit, in a list of them.
func (m *Model) commitKey(key string, sum object.Checksum) tea.Cmd {
	switch key {
	case "t":
		return m.open(newTreeOf(m, sum))
	case "c":
		return m.open(newCommit(m, sum))
	case "space":
		m.mark(sum)
	case "d":
		return m.compare(sum)
	}
	return nil
}

package explore

import (
	"context"
	"fmt"
	"iter"

	tea "charm.land/bubbletea/v2"

	"deployfs/objstore/diff"
	"deployfs/objstore/object"
	"deployfs/objstore/tree"
)

// diffView lists what differs between two commits.
type diffView struct {
	streamed[diff.Change]
	old, new object.Checksum // old is zero for new's parent until that is known
	counts   [3]int          // of changes that are known, by kind
	ready    bool
}

// pair are two commits' roots, the older first.
type pair struct {
	old, new         object.Checksum
	oldRoot, newRoot tree.Entry
	err              error
}

// newDiff compares two commits, or new and its parent.
func newDiff(m *Model, old, new object.Checksum) *diffView {
	v := &diffView{streamed: streamed[diff.Change]{m: m}, old: old, new: new}
	v.list.rows = v
	return v
}

func (v *diffView) title() string { return "diff" }
func (v *diffView) hints() string {
	return "Enter patch  v new version  o old version  m mount  / search"
}

func (v *diffView) about() string {
	switch {
	case v.stream.err != nil:
		return v.sides() + ": " + v.stream.err.Error()
	case !v.ready:
		return v.sides() + ": reading …"
	}
	return fmt.Sprintf("%s: %d added, %d removed, %d changed", v.sides(), v.counts[diff.Added], v.counts[diff.Removed], v.counts[diff.Modified])
}

// sides are the commits in words.
func (v *diffView) sides() string {
	if v.old.IsZero() {
		return "the first commit, " + short(v.new)
	}
	return short(v.old) + " to " + short(v.new)
}

func (v *diffView) start() tea.Cmd {
	old, new := v.old, v.new
	return load(v, func() pair { return v.m.cfg.pair(old, new) })
}

// pair reads two commits and puts them in the order of time, unless one is the other's parent.
func (c Config) pair(old, new object.Checksum) pair {
	a, err := c.Repo.Commit(new)
	if err != nil {
		return pair{err: err}
	}
	if old.IsZero() {
		old = a.Parent
	}
	if old.IsZero() {
		return pair{new: new, newRoot: tree.Root(a)}
	}
	b, err := c.Repo.Commit(old)
	if err != nil {
		return pair{err: err}
	}
	if b.Parent == new || a.Parent != old && b.Timestamp > a.Timestamp {
		old, new, a, b = new, old, b, a
	}
	return pair{old: old, new: new, oldRoot: tree.Root(b), newRoot: tree.Root(a)}
}

func (v *diffView) update(what any) tea.Cmd {
	switch what := what.(type) {
	case pair:
		if what.err != nil {
			v.stream.err = what.err
			v.m.fail(what.err)
			return nil
		}
		v.close()
		v.old, v.new, v.counts, v.ready = what.old, what.new, [3]int{}, true
		v.stream = newStream(func(ctx context.Context) iter.Seq2[diff.Change, error] {
			return v.m.cfg.changes(ctx, what.oldRoot, what.newRoot)
		})
	case batch[diff.Change]:
		if v.came(what) {
			for _, c := range what.items {
				v.counts[c.Kind]++
			}
		}
	}
	return nil
}

// changes are the differences of two trees, in the order of paths.
func (c Config) changes(ctx context.Context, old, new tree.Entry) iter.Seq2[diff.Change, error] {
	return func(yield func(diff.Change, error) bool) {
		on := true
		err := diff.Trees(ctx, c.Repo, old, new, func(change diff.Change) error {
			if on = yield(change, nil); !on {
				return context.Canceled
			}
			return nil
		})
		if on && err != nil {
			yield(diff.Change{}, err)
		}
	}
}

func (v *diffView) row(i int) row {
	c := v.items[i]
	letter := [...]span{diff.Added: {"A ", green}, diff.Removed: {"D ", red}, diff.Modified: {"M ", yellow}}[c.Kind]
	e, name := v.side(c, false), span{text: c.Path}
	if e.IsDir() && c.Path != "/" {
		name.text += "/"
	}
	if c.Kind != diff.Modified {
		name.style = letter.style
	}
	return row{letter, name}
}

// side is a change's new entry, or its old one where that is asked for, or there is no other.
func (v *diffView) side(c diff.Change, old bool) tree.Entry {
	if old || c.Kind == diff.Removed {
		return c.Old
	}
	return c.New
}

func (v *diffView) need() tea.Cmd { return v.ask(v) }

func (v *diffView) shown() place { return place{rev: v.new.String()} }

func (v *diffView) key(key string) (tea.Cmd, bool) {
	if v.taken(key) {
		return nil, true
	}
	v.end = false
	if v.cursor >= len(v.items) {
		return nil, false
	}
	change := v.items[v.cursor]
	if key == "enter" || key == "right" || key == "l" {
		if change.Kind == diff.Modified || !v.side(change, false).IsDir() {
			return v.m.open(newPatch(v.m, v, change)), true
		}
		return v.m.openEntry(v.commitOf(change, false), v.side(change, false)), true
	}
	return v.version(key, change)
}

// version opens the new version of what has changed, or the old one.
func (v *diffView) version(key string, change diff.Change) (tea.Cmd, bool) {
	old := key == "o"
	switch {
	case !old && key != "v":
		return nil, false
	case old && change.Kind == diff.Added:
		v.m.note("there is no old version")
		return nil, true
	case !old && change.Kind == diff.Removed:
		v.m.note("there is no new version")
		return nil, true
	}
	return v.m.openEntry(v.commitOf(change, old), v.side(change, old)), true
}

// commitOf is the commit whose entry side is.
func (v *diffView) commitOf(c diff.Change, old bool) object.Checksum {
	if old || c.Kind == diff.Removed {
		return v.old
	}
	return v.new
}

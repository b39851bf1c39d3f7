package diff

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"deployfs/objstore/tree"
)

// maxDepth bounds the nesting of directories, as package tree does.
const maxDepth = 4096

// Kind is what has happened to a path.
type Kind uint8

// The kinds of change.
const (
	Added Kind = iota
	Removed
	Modified
	Renamed // added with what was removed elsewhere: Trees knows no such thing
)

// Change is a path that differs. Old is its entry in the old tree and New that in the new one: the
// zero Entry where it is absent. A directory that was modified has another dirmeta; what has changed
// below it are changes of their own. Of a path that became a directory, or was one, one Change tells.
type Change struct {
	Path     string // absolute
	Kind     Kind
	Old, New tree.Entry
}

// TypeChanged reports whether one side is a directory and the other is something else.
func (c Change) TypeChanged() bool { return c.Kind == Modified && c.Old.IsDir() != c.New.IsDir() }

// Options say how much of a difference is wanted.
type Options struct {
	// Deep reports also what is below a directory that was added or removed, or that took the place
	// of something else or gave it up.
	Deep bool

	// Within are the paths to look at; nil is everywhere. What they do not name is never opened.
	Within *Paths
}

// Trees calls emit for each difference between two directories, in the order of paths, their own
// dirmetas first; equal subtrees are never opened. A zero Entry stands for nothing at all. It ends
// at the first error, which it returns.
func Trees(ctx context.Context, l tree.Loader, old, new tree.Entry, emit func(Change) error) error {
	return Options{}.Trees(ctx, l, old, new, emit)
}

// Trees is [Trees] with options.
func (o Options) Trees(ctx context.Context, l tree.Loader, old, new tree.Entry, emit func(Change) error) error {
	base := old.Path
	if absent(old) {
		base = new.Path
	}
	for _, e := range []tree.Entry{old, new} {
		if !e.IsDir() {
			return &tree.Error{Path: e.Path, Err: unix.ENOTDIR}
		}
	}
	m := merger{Options: o, ctx: ctx, loader: l, emit: emit, path: []byte(strings.TrimSuffix(base, "/"))}
	return m.pair(old, new)
}

// absent reports whether an entry stands for nothing.
func absent(e tree.Entry) bool { return e.Tree.IsZero() && e.Content.IsZero() }

// merger is where a comparison has come to. Like a walk it holds one path.
type merger struct {
	Options
	ctx    context.Context
	loader tree.Loader
	emit   func(Change) error
	path   []byte // of the pair; that of the root is empty
	depth  int
}

// pair compares what one path names on both sides: at least one of them is there.
func (m *merger) pair(old, new tree.Entry) error {
	if old.Tree == new.Tree && old.Meta == new.Meta && old.Content == new.Content {
		return nil
	}
	if err := m.ctx.Err(); err != nil {
		return err
	}
	at := m.Within.Place(string(m.path))
	if at == Outside {
		return nil
	}
	if at == Inside {
		if err := m.report(old, new); err != nil {
			return err
		}
	}
	if old.Tree == new.Tree || !m.opens(at, old, new) {
		return nil
	}
	return m.below(old, new)
}

// report emits the change of one pair, unless only what is below it has changed.
func (m *merger) report(old, new tree.Entry) error {
	c := Change{Path: cmp.Or(string(m.path), "/"), Kind: Modified, Old: old, New: new}
	switch {
	case absent(old):
		c.Kind = Added
	case absent(new):
		c.Kind = Removed
	case old.IsDir() && new.IsDir() && old.Meta == new.Meta:
		return nil
	}
	if c.Kind != Added {
		c.Old.Path = c.Path
	}
	if c.Kind != Removed {
		c.New.Path = c.Path
	}
	return m.emit(c)
}

// opens reports whether a pair with a directory in it is to be opened: two directories always, one
// alone in depth, or on the way to a path that is wanted.
func (m *merger) opens(at Place, old, new tree.Entry) bool {
	return m.Deep || at == Above || isTree(old) && isTree(new)
}

func isTree(e tree.Entry) bool { return !e.Tree.IsZero() }

// below compares the entries of two directories; what is none, or absent, has no entries.
func (m *merger) below(old, new tree.Entry) error {
	if m.depth == maxDepth {
		return fmt.Errorf("%.200q: more than %d directories deep", m.path, maxDepth)
	}
	a, err := m.open(old)
	if err != nil {
		return err
	}
	b, err := m.open(new)
	if err != nil {
		return err
	}
	m.depth++
	defer func() { m.depth-- }()
	return m.merge(a, b)
}

func (m *merger) open(e tree.Entry) (*list, error) {
	if !isTree(e) {
		return &list{}, nil
	}
	t, err := m.loader.DirTree(e.Tree)
	return &list{tree: t}, err
}

// merge walks two lists of entries by name.
func (m *merger) merge(a, b *list) error {
	end := len(m.path)
	defer func() { m.path = m.path[:end] }()
	for {
		name, old, new, ok := step(a, b)
		if !ok {
			return nil
		}
		if old == new {
			continue
		}
		m.path = append(append(m.path[:end], '/'), name...)
		if err := m.pair(old, new); err != nil {
			return err
		}
	}
}

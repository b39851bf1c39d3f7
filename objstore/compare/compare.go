package compare

import (
	"context"
	"fmt"

	"deployfs/objstore/diff"
)

// maxDepth bounds the nesting of directories, as package tree does.
const maxDepth = 4096

// Change is a path that differs between two sides. Old or New is the zero Node where it is absent.
type Change struct {
	Path     string // absolute, from the sides' roots
	Kind     diff.Kind
	Old, New Node
}

// Options say how two sides are compared.
type Options struct {
	// AsOstree reports what ostree does, in its order: not the roots themselves, nor what is below a
	// directory that was removed, or that took the place of a file or gave it up.
	AsOstree bool

	// Within are the paths to look at; nil is everywhere.
	Within *diff.Paths
}

// Run calls emit for each difference between two sides. Without AsOstree it is in depth, as
// [diff.Options] has it. It ends at the first error, which it returns.
func Run(ctx context.Context, old, new Side, o Options, emit func(Change) error) error {
	a, err := old.Root()
	if err != nil {
		return err
	}
	b, err := new.Root()
	if err != nil {
		return err
	}
	c := comparer{Options: o, ctx: ctx, old: old, new: new, emit: emit}
	if x, y, ok := c.commits(); ok && !o.AsOstree {
		return o.trees(ctx, x, y, emit)
	}
	root := pair{old: a, new: b}
	switch dirs := a.IsDir() && b.IsDir(); {
	case o.AsOstree && dirs && !c.opens(diff.Inside, root):
		return nil
	case o.AsOstree, !dirs: // what is no directory says so when it is listed
		return c.below(root, "/", 0)
	}
	if err := c.settle([]*pair{&root}); err != nil {
		return err
	}
	return c.pair(root, 0)
}

// trees compares two commits.
func (o Options) trees(ctx context.Context, old, new *Commit, emit func(Change) error) error {
	return diff.Options{Deep: true, Within: o.Within}.Trees(ctx, old, old.Dir, new.Dir, func(c diff.Change) error {
		return emit(Change{c.Path, c.Kind, Node{Entry: c.Old}, Node{Entry: c.New}})
	})
}

type comparer struct {
	Options
	ctx      context.Context
	old, new Side
	emit     func(Change) error
}

// below compares the entries of two directories.
func (c *comparer) below(dir pair, path string, depth int) error {
	if depth == maxDepth {
		return fmt.Errorf("%.200q: more than %d directories deep", path, maxDepth)
	}
	pairs, err := c.pairs(dir, depth == 0)
	if err != nil {
		return err
	}
	if err := c.settle(pairs); err != nil {
		return err
	}
	for _, p := range pairs {
		if err := c.pair(*p, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// pair reports one pair and goes on below it.
func (c *comparer) pair(p pair, depth int) error {
	if err := c.ctx.Err(); err != nil {
		return err
	}
	place := c.Within.Place(p.path())
	if place == diff.Inside {
		if err := c.report(p); err != nil {
			return err
		}
	}
	if place == diff.Outside || !c.opens(place, p) {
		return nil
	}
	return c.below(p, p.path(), depth)
}

func (c *comparer) report(p pair) error {
	change := Change{Path: p.path(), Kind: diff.Modified, Old: p.old, New: p.new}
	switch {
	case !p.old.Exists():
		change.Kind = diff.Added
	case !p.new.Exists():
		change.Kind = diff.Removed
	case !p.differs:
		return nil
	}
	return c.emit(change)
}

// opens reports whether what is below a pair is to be looked at.
func (c *comparer) opens(place diff.Place, p pair) bool {
	switch old, new := p.old.IsDir(), p.new.IsDir(); {
	case old && new:
		return p.old.Stat != nil || p.new.Stat != nil || p.old.Tree != p.new.Tree
	case !old && !new:
		return false
	}
	return place == diff.Above || !c.AsOstree || !p.old.Exists()
}

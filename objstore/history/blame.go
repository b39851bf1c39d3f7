package history

import (
	"context"
	"errors"
	"path"

	"deployfs/objstore/object"
	"deployfs/objstore/tree"
)

// Line is an entry and the commit that changed it last.
type Line struct {
	Entry   tree.Entry // as it is in the newest commit
	Commit  Brief
	Shallow bool // the commit is the last one here: an older one may have made the change
}

// Blame finds for each entry of the directory at a path, in the order of
// [tree.Children], the newest commit that changed it: the last change of a
// directory is that of anything in it. Deep adds what is below the directory, in
// the order of [tree.Walk]. A path that names a file gives the file alone. It
// stops at the commit that accounts for the last entry, and opens in each commit
// only directories that differ from the child's and hold something still unaccounted for.
func Blame(ctx context.Context, s Store, from object.Checksum, name string, deep bool) ([]Line, error) {
	b := &blamer{loader: newLoader(s), lines: []Line{}, size: maxListed}
	err := b.run(ctx, s, from, name, deep)
	return b.lines, err
}

func (b *blamer) run(ctx context.Context, s Store, from object.Checksum, name string, deep bool) error {
	commit, err := s.Commit(from)
	if err != nil {
		return err
	}
	top, err := tree.Lookup(b.loader, tree.Root(commit), name)
	if err != nil {
		return err
	}
	if err := b.start(ctx, top, deep); err != nil || !b.top.open() {
		return err
	}
	way, last := newTrail(name), object.Checksum{}
	err = Pairs(ctx, s, from, func(c Commit, parent *Commit) (bool, error) {
		last = c.Checksum
		if parent == nil {
			return true, b.step(c, tree.Entry{}, false)
		}
		before, there, err := way.move(b.loader, parent.Commit)
		if err == nil {
			err = b.step(c, before, there)
		}
		if err != nil {
			err = inCommit(parent.Checksum, err)
		}
		return b.top.open(), err
	})
	if errors.Is(err, ErrShallow) {
		b.shallow(last)
		err = nil
	}
	return err
}

// blamer holds what is still unaccounted for.
type blamer struct {
	loader *loader
	lines  []Line
	size   budget // left for lines
	top    *suspect
}

// suspect is an entry whose last change, or that of something below it, is not found yet.
type suspect struct {
	name  string
	line  int             // its line, while that has no commit; else -1
	below []*suspect      // the open ones of a directory's entries
	tree  object.Checksum // of a directory in the commit that has been reached
}

func (s *suspect) open() bool { return s.line >= 0 || len(s.below) > 0 }

// start makes a line and a suspect of each entry.
func (b *blamer) start(ctx context.Context, top tree.Entry, deep bool) error {
	b.top = &suspect{line: -1, tree: top.Tree}
	if !top.IsDir() {
		b.top.line = 0
		b.lines = append(b.lines, Line{Entry: top})
		return nil
	}
	return b.fill(ctx, b.top, top, deep, 0)
}

func (b *blamer) fill(ctx context.Context, s *suspect, dir tree.Entry, deep bool, depth int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if depth == maxDepth {
		return errDepth
	}
	children, err := tree.Children(b.loader, dir)
	for _, e := range children {
		if err := b.size.take(e.Path, perLine); err != nil {
			return err
		}
		child := &suspect{name: path.Base(e.Path), line: len(b.lines), tree: e.Tree}
		b.lines = append(b.lines, Line{Entry: e})
		s.below = append(s.below, child)
		if deep && e.IsDir() {
			if err := b.fill(ctx, child, e, deep, depth+1); err != nil {
				return err
			}
		}
	}
	return err
}

// step goes from a commit to its parent, where the top is before, or not there.
func (b *blamer) step(c Commit, before tree.Entry, there bool) error {
	found := &culprit{blamer: b, commit: c}
	return found.compare(b.top, before, there)
}

// culprit puts a commit down for what it changed.
type culprit struct {
	*blamer
	commit Commit
	brief  *Brief // of the commit, made when it is needed
}

// take puts the commit into a suspect's line.
func (c *culprit) take(s *suspect) {
	if s.line < 0 {
		return
	}
	if c.brief == nil {
		brief := NewBrief(c.commit)
		c.brief = &brief
	}
	c.lines[s.line].Commit = *c.brief
	s.line = -1
}

// compare looks at a suspect, which is before in the parent, or not there.
func (c *culprit) compare(s *suspect, before tree.Entry, there bool) error {
	if s.line >= 0 && !(there && same(c.lines[s.line].Entry, before)) {
		c.take(s)
	}
	switch {
	case len(s.below) == 0 || there && before.IsDir() && before.Tree == s.tree:
		return nil
	case !there || !before.IsDir():
		c.takeAll(s)
		return nil
	}
	t, err := c.loader.DirTree(before.Tree)
	if err != nil {
		return err
	}
	s.tree = before.Tree
	open := s.below[:0]
	for _, child := range s.below {
		e, there := entryOf(t, child.name)
		if err := c.compare(child, e, there); err != nil {
			return err
		}
		if child.open() {
			open = append(open, child)
		}
	}
	clear(s.below[len(open):])
	s.below = open
	return nil
}

// takeAll is for a directory that the parent does not have.
func (c *culprit) takeAll(s *suspect) {
	for _, child := range s.below {
		c.take(child)
		c.takeAll(child)
	}
	s.below = nil
}

// entryOf finds a name in a dirtree; the entry has no path.
func entryOf(t object.DirTree, name string) (e tree.Entry, ok bool) {
	if i, ok := t.FindFile([]byte(name)); ok {
		_, e.Content = t.File(i)
		return e, true
	}
	if i, ok := t.FindDir([]byte(name)); ok {
		_, e.Tree, e.Meta = t.Dir(i)
		return e, true
	}
	return e, false
}

// shallow marks the lines of the last commit that is here.
func (b *blamer) shallow(last object.Checksum) {
	for i := range b.lines {
		b.lines[i].Shallow = b.lines[i].Commit.Checksum == last
	}
}

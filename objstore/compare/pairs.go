package compare

import (
	"cmp"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"deployfs/objstore/diff"
	"deployfs/objstore/object"
	"deployfs/objstore/tree"
)

// pair is what one name stands for on both sides: at least one of them exists.
type pair struct {
	old, new Node
	differs  bool // where both exist
}

func (p *pair) path() string { return cmp.Or(p.old.Path, p.new.Path) }

func (p *pair) both() bool { return p.old.Exists() && p.new.Exists() }

// pairs is the entries of two directories: those of the old one in its order, then what is only in
// the new one in its own; or, unless it is to be as ostree has it, all by name.
func (c *comparer) pairs(dir pair, root bool) (list []*pair, err error) {
	if x, y, ok := c.commits(); ok {
		return c.commitPairs(dir, x, y)
	}
	inOld, inNew := root || dir.old.IsDir(), root || dir.new.IsDir()
	seen := map[string]bool{}
	if inOld {
		if list, err = c.oldPairs(dir, inNew); err != nil {
			return nil, err
		}
		for _, p := range list {
			seen[nameOf(p.old)] = true
		}
	}
	if inNew {
		nodes, err := c.new.Children(dir.new)
		if err != nil {
			return nil, err
		}
		for _, n := range nodes {
			if !seen[nameOf(n)] {
				list = append(list, &pair{new: n})
			}
		}
	}
	list = slices.DeleteFunc(list, func(p *pair) bool { return c.Within.Place(p.path()) == diff.Outside })
	if !c.AsOstree {
		slices.SortFunc(list, func(p, q *pair) int { return cmp.Compare(p.path(), q.path()) })
	}
	return list, nil
}

// commits is the two sides, if both are commits.
func (c *comparer) commits() (x, y *Commit, ok bool) {
	x, fromCommit := c.old.(*Commit)
	y, toCommit := c.new.(*Commit)
	return x, y, fromCommit && toCommit
}

// commitPairs is those entries of two directories that differ, as ostree has them. Of a large
// directory in which little has changed, little is made.
func (c *comparer) commitPairs(dir pair, x, y *Commit) (list []*pair, err error) {
	var old, new object.DirTree
	if dir.old.IsDir() {
		if old, err = x.DirTree(dir.old.Tree); err != nil {
			return nil, err
		}
	}
	if dir.new.IsDir() {
		if new, err = y.DirTree(dir.new.Tree); err != nil {
			return nil, err
		}
	}
	diff.Entries(old, new, func(name []byte, old, new tree.Entry) {
		p := &pair{old: Node{Entry: old}, new: Node{Entry: new}}
		path := join(dir.path(), string(name))
		if p.old.Exists() {
			p.old.Path = path
		}
		if p.new.Exists() {
			p.new.Path = path
		}
		if c.Within.Place(path) != diff.Outside {
			list = append(list, p)
		}
	})
	rank := func(p *pair) int { // files of the old one, its directories, then what is only in the new one
		switch {
		case p.old.Exists() && !p.old.IsDir():
			return 0
		case p.old.Exists():
			return 1
		case !p.new.IsDir():
			return 2
		}
		return 3
	}
	slices.SortStableFunc(list, func(p, q *pair) int { return cmp.Compare(rank(p), rank(q)) })
	return list, nil
}

// oldPairs is the entries of the old directory, with those of the new one if there is one.
func (c *comparer) oldPairs(dir pair, both bool) ([]*pair, error) {
	nodes, err := c.old.Children(dir.old)
	if err != nil {
		return nil, err
	}
	twins := make([]Node, len(nodes))
	if both {
		if twins, err = c.new.Find(dir.new, nodes); err != nil {
			return nil, err
		}
	}
	list := make([]*pair, len(nodes))
	for i := range nodes {
		list[i] = &pair{old: nodes[i], new: twins[i]}
	}
	return list, nil
}

// settle finds out which of the pairs differ, on all processors where files may have to be read.
func (c *comparer) settle(pairs []*pair) error {
	errs := make([]error, len(pairs))
	var next atomic.Int64
	work := func() {
		for i := int(next.Add(1)) - 1; i < len(pairs) && c.ctx.Err() == nil; i = int(next.Add(1)) - 1 {
			if p := pairs[i]; p.both() && c.Within.Place(p.path()) == diff.Inside {
				p.differs, errs[i] = c.differ(p.old, p.new)
			}
		}
	}
	var workers sync.WaitGroup
	if c.reads(pairs) {
		for range min(runtime.GOMAXPROCS(0), len(pairs)) - 1 {
			workers.Go(work)
		}
	}
	work()
	workers.Wait()
	if i := slices.IndexFunc(errs, func(err error) bool { return err != nil }); i >= 0 {
		return errs[i]
	}
	return c.ctx.Err()
}

// reads reports whether files may have to be read to settle some pairs.
func (c *comparer) reads(pairs []*pair) bool {
	return slices.ContainsFunc(pairs, func(p *pair) bool { return p.both() && (p.old.Stat != nil || p.new.Stat != nil) })
}

// differ reports whether two nodes differ in themselves. Files are read only when nothing else tells.
func (c *comparer) differ(old, new Node) (bool, error) {
	switch {
	case old.Stat == nil && new.Stat == nil:
		return old.Meta != new.Meta || old.Content != new.Content, nil
	case old.IsDir() != new.IsDir():
		return true, nil
	case old.IsDir():
	case old.Stat != nil && new.Stat != nil:
		if old.Stat.Mode&unix.S_IFMT != new.Stat.Mode&unix.S_IFMT || old.Stat.Size != new.Stat.Size {
			return true, nil
		}
	case c.excluded(old, new):
		return true, nil
	}
	a, err := c.old.Sum(old)
	if err != nil {
		return false, err
	}
	b, err := c.new.Sum(new)
	return a != b, err
}

// excluded asks the side that is a directory of this machine about the other one's object.
func (c *comparer) excluded(old, new Node) bool {
	if d, ok := c.new.(*Directory); ok && old.Stat == nil {
		return d.excludes(old.Content, new)
	}
	if d, ok := c.old.(*Directory); ok && new.Stat == nil {
		return d.excludes(new.Content, old)
	}
	return false
}

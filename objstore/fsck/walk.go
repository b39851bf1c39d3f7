package fsck

import (
	"slices"

	"deployfs/objstore/object"
	"deployfs/objstore/reach"
)

// walk goes through what commits need, and checks all but content on the way.
type walk struct {
	*reach.Walker
	c      *checker
	held   *reach.Inventory
	leaves int               // files and dirmetas
	away   []object.Checksum // files that are there, but not in the inventory: in a parent repository
	owners *owners           // nil until they are asked for
}

// checkObjects checks what the commits need.
func (c *checker) checkObjects() error {
	if c.options.Events.Objects != nil {
		c.options.Events.Objects(len(c.whole))
	}
	w, err := c.walkSettled()
	if err != nil {
		return err
	}
	if err := w.contents(); err != nil {
		return err
	}
	tell(c.options.Events.Checked)
	return nil
}

// walkSettled walks through all commits, and anew when a directory has come that was
// missed: ostree's transactions put commits in place before what these need.
func (c *checker) walkSettled() (*walk, error) {
	before := c.found
	for {
		held, err := reach.Take(c.repo, false)
		if err != nil {
			return nil, err
		}
		w := &walk{Walker: reach.NewWalker(c.ctx, c.repo, held, true), c: c, held: held}
		w.OnLeaf, w.OnFail = w.leaf, w.fail
		if err := w.run(); err != nil {
			return nil, err
		}
		again, err := w.settle()
		if err != nil || !again {
			return w, err
		}
		c.found = slices.Clone(before)
		c.count.Objects.Store(0)
		if c.whole, err = c.present(c.whole); err != nil {
			return nil, err
		}
	}
}

func (w *walk) run() error {
	bad := 0
	for _, sum := range w.c.whole {
		if w.c.commits[sum] != nil {
			bad++
			continue
		}
		if err := w.History(sum, 0); err != nil {
			return err
		}
		w.detached(sum)
	}
	w.c.count.Objects.Add(int64(w.Walked() + bad))
	w.c.count.Total.Store(int64(w.Walked() + bad + w.leaves))
	return w.c.ctx.Err()
}

// leaf checks a dirmeta, and whether a file is there.
func (w *walk) leaf(name object.Name, held bool) {
	w.leaves++
	switch {
	case name.Kind == object.KindDirMeta:
		w.c.count.Objects.Add(1)
		if _, err := w.c.repo.DirMeta(name.Checksum); err != nil {
			w.find(problemOf(name, err))
		}
	case held:
	default:
		if there, err := w.c.repo.HasObject(name); there || err != nil {
			w.away = append(w.away, name.Checksum)
			return
		}
		w.c.count.Objects.Add(1)
		w.find(Problem{Object: name, Missing: true})
	}
}

// fail has a walk go on past what can't be read.
func (w *walk) fail(name object.Name, err error) error {
	w.find(problemOf(name, err))
	return nil
}

// detached checks that a commit's detached metadata can be read; no checksum covers it.
func (w *walk) detached(commit object.Checksum) {
	if _, _, err := w.c.repo.CommitMeta(commit); err != nil {
		p := problemOf(object.Name{Checksum: commit, Kind: object.KindCommitMeta}, err)
		p.Commits = []object.Checksum{commit}
		w.find(p)
	}
}

// find keeps a problem for when the walk is done.
func (w *walk) find(p Problem) { w.c.found = append(w.c.found, p) }

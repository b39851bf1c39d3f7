package prune

import (
	"deployfs/objstore"
	"deployfs/objstore/object"
	"deployfs/objstore/reach"
)

// DefaultDepth is for a ref that is pruned as if nothing were said of it alone.
const DefaultDepth = -1

// Branches chooses by branch what is kept of each ref's history.
type Branches struct {
	Only   []string       // refs that are pruned; none means all. What names no commit is an error
	Retain map[string]int // by ref: parents that are kept, [reach.AllParents] or DefaultDepth
	Since  *int64         // seconds since 1970: keep what is not older, and each ref's own commit
}

// roots marks what the options keep.
func roots(repo *objstore.Repo, held *reach.Inventory, w *reach.Walker, o *Options) error {
	if o.Branches == nil && !o.RefsOnly {
		return held.Each(object.KindCommit, func(_ int, sum object.Checksum) error { return w.History(sum, o.Depth) })
	}
	tips, err := reach.Tips(repo)
	if err != nil {
		return err
	}
	if o.Branches != nil {
		if err := o.Branches.check(repo); err != nil {
			return err
		}
	}
	for _, tip := range tips {
		if err := keep(w, tip, o); err != nil {
			return err
		}
	}
	return nil
}

// keep marks what is kept of one ref's history.
func keep(w *reach.Walker, tip reach.Tip, o *Options) error {
	b, sum := o.Branches, tip.Commit
	if b == nil {
		return w.History(sum, o.Depth)
	}
	name := tip.String()
	depth, given := b.Retain[name]
	switch {
	case given && depth != DefaultDepth:
		return w.History(sum, depth)
	case !given && !b.prunes(name):
		return w.History(sum, reach.AllParents)
	case b.Since != nil:
		return w.Younger(sum, *b.Since)
	}
	return w.History(sum, o.Depth)
}

// prunes reports whether a ref is among those to be pruned.
func (b *Branches) prunes(ref string) bool {
	for _, only := range b.Only {
		if only == ref {
			return true
		}
	}
	return len(b.Only) == 0
}

func (b *Branches) check(repo *objstore.Repo) error {
	for _, ref := range b.Only {
		if _, err := repo.Resolve(ref); err != nil {
			return err
		}
	}
	return nil
}

package prune

import (
	"fmt"

	"deployfs/objstore"
	"deployfs/objstore/object"
	"deployfs/objstore/refs"
)

// DefaultDepth is for a ref that is pruned as if nothing were said of it alone.
const DefaultDepth = -1

// Branches chooses by branch what is kept of each ref's history.
type Branches struct {
	Only   []string       // refs that are pruned; none means all. What names no commit is an error
	Retain map[string]int // by ref: parents that are kept, AllParents or DefaultDepth
	Since  *int64         // seconds since 1970: keep what is not older, and each ref's own commit
}

// roots marks what the options keep.
func (w *walker) roots(o *Options) error {
	if o.Branches == nil && !o.RefsOnly {
		return w.everyCommit(o.Depth)
	}
	list, err := w.repo.Refs()
	if err != nil {
		return err
	}
	mirrored, err := w.repo.MirroredRefs()
	if err != nil {
		return err
	}
	if o.Branches != nil {
		if err := o.Branches.check(w.repo); err != nil {
			return err
		}
	}
	for _, ref := range append(list, mirrored...) {
		sum, err := object.ParseChecksum(ref.Checksum)
		if err != nil {
			return &BadRefError{ref.Spec, err}
		}
		if err := w.ref(ref, sum, o); err != nil {
			return err
		}
	}
	return nil
}

// BadRefError says that a ref holds something else than a checksum: what it
// meant can't be kept, so nothing is deleted.
type BadRefError struct {
	Ref refs.Spec
	Err error
}

func (e *BadRefError) Error() string { return fmt.Sprintf("ref %s: %v", e.Ref, e.Err) }
func (e *BadRefError) Unwrap() error { return e.Err }

// Hint is the remedy.
func (e *BadRefError) Hint() string {
	return fmt.Sprintf("`ostree refs --delete %s` drops it, `ostree reset %s COMMIT` mends it", e.Ref, e.Ref)
}

func (w *walker) everyCommit(depth int) error {
	commits := &w.held[object.KindCommit]
	for i := range commits.buckets {
		for _, sum := range commits.buckets[i].sums {
			if err := w.history(sum, depth); err != nil {
				return err
			}
		}
	}
	return nil
}

// ref marks what is kept of one ref's history.
func (w *walker) ref(ref objstore.Ref, sum object.Checksum, o *Options) error {
	b := o.Branches
	if b == nil {
		return w.history(sum, o.Depth)
	}
	name := ref.String()
	depth, given := b.Retain[name]
	switch {
	case given && depth != DefaultDepth:
		return w.history(sum, depth)
	case !given && !b.prunes(name):
		return w.history(sum, AllParents)
	case b.Since != nil:
		return w.younger(sum, *b.Since)
	}
	return w.history(sum, o.Depth)
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

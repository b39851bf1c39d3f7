package history

import (
	"context"

	"deployfs/objstore/object"
)

// Filter says which commits of a history are wanted. The zero value wants all.
type Filter struct {
	Max   int               // so many at most; 0 is no bound
	Match func(Commit) bool // nil matches all
	Paths []string          // at least one of them has changed, as [Changes.In] tells; none wants all
}

// Log visits the commits that f wants from a commit on, newest first. It ends as
// [Walk] does, also with [ErrShallow], but quietly once it has visited Max commits.
func Log(ctx context.Context, s Store, from object.Checksum, f Filter, visit func(Commit) error) error {
	visited := 0
	pass := func(c Commit) (bool, error) {
		visited++
		return visited != f.Max, visit(c)
	}
	matches := func(c Commit) bool { return f.Match == nil || f.Match(c) }
	if len(f.Paths) == 0 {
		return Walk(ctx, s, from, func(c Commit) (bool, error) {
			if !matches(c) {
				return true, nil
			}
			return pass(c)
		})
	}
	changes := NewChanges(s, f.Paths)
	return Pairs(ctx, s, from, func(c Commit, parent *Commit) (bool, error) {
		if !matches(c) {
			return true, nil
		}
		if changed, err := changes.In(c, parent); err != nil || !changed {
			return true, err
		}
		return pass(c)
	})
}

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

// Log visits the commits that f wants from a commit on, newest first, each with
// its parent, which is nil when there is none here. It ends as [Walk] does, also
// with [ErrShallow], but quietly once it has visited Max commits.
func Log(ctx context.Context, s Store, from object.Checksum, f Filter, visit func(c Commit, parent *Commit) error) error {
	changes, visited := NewChanges(s, f.Paths), 0
	return Pairs(ctx, s, from, func(c Commit, parent *Commit) (bool, error) {
		wanted := f.Match == nil || f.Match(c)
		if wanted && len(f.Paths) > 0 {
			var err error
			if wanted, err = changes.In(c, parent); err != nil {
				return false, err
			}
		}
		if !wanted {
			return true, nil
		}
		if err := visit(c, parent); err != nil {
			return false, err
		}
		visited++
		return visited != f.Max, nil
	})
}

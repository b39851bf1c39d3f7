package fs

import (
	"errors"

	"deployfs/objstore/object"
)

var errNoTree = errors.New("it is no directory of a commit")

// recentPlaces is how many directories' checksums are remembered.
const recentPlaces = 256

// place is a directory's objects, and its row.
type place struct {
	row        row
	tree, meta object.Checksum
}

// place finds the objects of the directory at r, from the nearest directory
// above it that is remembered.
func (f *FS) place(r row) (place, error) {
	var steps []node
	at := f.rootDir
	for up := r; up != root; {
		if known := f.recent[up%recentPlaces].Load(); known != nil && known.row == up {
			at = *known
			break
		}
		n, ok := f.nodes.get(up)
		if !ok || len(steps) == maxDepth {
			return place{}, errTooDeep
		}
		if n.pos&wordBit != 0 {
			e, err := f.named(up, n)
			if err != nil || e.rec.kind != NameCommit {
				return place{}, errors.Join(err, errNoTree)
			}
			at = e.root
			break
		}
		steps = append(steps, n)
		up = n.parent
	}
	for i := len(steps) - 1; i >= 0; i-- {
		next := r
		if i > 0 {
			next = steps[i-1].parent
		}
		t, err := f.tree(at.tree)
		if err != nil {
			return place{}, err
		}
		sub := int(steps[i].pos) - t.NumFiles()
		if sub < 0 || sub >= t.NumDirs() {
			return place{}, errChanged
		}
		found := &place{row: next} // not changed once it is stored
		_, found.tree, found.meta = t.Dir(sub)
		f.recent[next%recentPlaces].Store(found)
		at = *found
	}
	return at, nil
}

package history

import (
	"deployfs/objstore/object"
	"deployfs/objstore/tree"
)

// The cache of dirtrees holds at most twice as much as this.
const (
	maxCached  = 512     // dirtrees
	maxEntries = 1 << 16 // in all of them; one with more is not kept
)

// loader keeps the dirtrees that were read last, because commits share them.
// There are two generations: what is found in the older one moves to the newer,
// and when that is full, it becomes the older.
type loader struct {
	from       tree.Loader
	young, old map[object.Checksum]object.DirTree
	entries    int // of the young ones
}

func newLoader(from tree.Loader) *loader {
	return &loader{from: from, young: map[object.Checksum]object.DirTree{}}
}

// DirTree is what the underlying loader returns.
func (l *loader) DirTree(sum object.Checksum) (object.DirTree, error) {
	if t, ok := l.young[sum]; ok {
		return t, nil
	}
	t, ok := l.old[sum]
	if !ok {
		var err error
		if t, err = l.from.DirTree(sum); err != nil {
			return t, err
		}
	}
	l.keep(sum, t)
	return t, nil
}

func (l *loader) keep(sum object.Checksum, t object.DirTree) {
	n := t.NumFiles() + t.NumDirs()
	if n > maxEntries {
		return
	}
	if len(l.young) == maxCached || l.entries+n > maxEntries {
		l.old, l.young, l.entries = l.young, map[object.Checksum]object.DirTree{}, 0
	}
	l.young[sum] = t
	l.entries += n
}

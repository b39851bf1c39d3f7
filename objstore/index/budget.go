package index

import (
	"context"
	"sync/atomic"

	"deployfs/objstore/object"
)

// maxHeld bounds what is held of a tree while its index is built, in bytes: its
// names, link targets and extended attributes, and what goes with each of them.
const (
	maxHeld   = 2 << 30
	entryCost = 256 // in the dirtree, in the builder and in the index
	xattrCost = 64
)

// budget is what may yet be held. Its methods can be called at the same time.
type budget struct {
	left atomic.Int64
	stop context.CancelFunc // when nothing is left
}

func (b *budget) take(bytes int) {
	if b.left.Add(-int64(bytes)) < 0 {
		b.stop()
	}
}

// spent reports whether more was taken than there was.
func (b *budget) spent() bool { return b.left.Load() < 0 }

func treeCost(tree *object.DirTree) (bytes int) {
	for i := range tree.NumFiles() {
		name, _ := tree.File(i)
		bytes += len(name) + entryCost
	}
	for i := range tree.NumDirs() {
		name, _, _ := tree.Dir(i)
		bytes += len(name) + entryCost
	}
	return bytes
}

func xattrsCost(list []object.Xattr) (bytes int) {
	for _, x := range list {
		bytes += len(x.Name) + len(x.Value) + xattrCost
	}
	return bytes
}

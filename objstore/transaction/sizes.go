package transaction

import (
	"bytes"
	"maps"
	"os"
	"slices"
	"sync"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/object"
)

// sizes are those of the objects that were given to a transaction.
type sizes struct {
	mu      sync.Mutex
	objects map[object.Name]object.ObjectSize
}

// RecordSizes has the transaction remember what is written from now on, for
// [Transaction.Sizes]. In a repository that is no archive it changes nothing: what
// a commit says of sizes is for those who fetch archived objects.
func (t *Transaction) RecordSizes() {
	if t.repo.Mode() == objstore.Archive {
		t.sizes = &sizes{objects: map[object.Name]object.ObjectSize{}}
	}
}

// Sizes are the content objects, dirtrees and dirmetas that were given to the
// transaction, whether the repository held them or not, sorted by checksum.
func (t *Transaction) Sizes() []object.ObjectSize {
	if t.sizes == nil {
		return nil
	}
	t.sizes.mu.Lock()
	defer t.sizes.mu.Unlock()
	return slices.SortedFunc(maps.Values(t.sizes.objects), func(a, b object.ObjectSize) int {
		return bytes.Compare(a.Object.Checksum[:], b.Object.Checksum[:])
	})
}

func (s *sizes) add(size object.ObjectSize) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.objects[size.Object] = size
}

// noteMetadata remembers the size of a metadata object.
func (t *Transaction) noteMetadata(name object.Name, size int) {
	if t.sizes != nil && name.Kind <= object.KindDirMeta {
		t.sizes.add(object.ObjectSize{Object: name, Archived: uint64(size), Unpacked: uint64(size)})
	}
}

// Keep is [Transaction.WriteContent] of an object that may be there already, whose header
// is h: it reports whether it is. It is not read.
func (t *Transaction) Keep(sum object.Checksum, h *object.Header) (bool, error) {
	held, err := t.hasContent(object.Name{Checksum: sum, Kind: object.KindFile}, h)
	if err != nil || !held {
		return false, err
	}
	t.count.content.Add(1)
	return true, t.noteSize(sum, h)
}

// noteSize remembers the size of a content object, which the repository holds or
// will hold. What it holds stays, whatever else was written of the same content.
func (t *Transaction) noteSize(sum object.Checksum, h *object.Header) error {
	if t.sizes == nil {
		return nil
	}
	name := object.Name{Checksum: sum, Kind: object.KindFile}
	stored, path := t.repo.ObjectFile(name)
	dirs := []*os.File{stored, t.objects}
	if t.isTorn(path) {
		dirs = dirs[1:]
	}
	var err error
	for _, dir := range dirs {
		var st unix.Stat_t
		if err = unix.Fstatat(int(dir.Fd()), path, &st, unix.AT_SYMLINK_NOFOLLOW); err == nil {
			unpacked := max(h.Size, uint64(len(h.Target)))
			t.sizes.add(object.ObjectSize{Object: name, Archived: uint64(st.Size), Unpacked: unpacked})
			return nil
		}
	}
	return err
}

package tarball

import (
	"errors"
	"io"
	"sync/atomic"
	"testing"
	"unicode/utf8"

	"deployfs/objstore/object"
	"deployfs/objstore/tree"
)

// limited is a repository that is full after some bytes of content: an archive of
// few bytes can stand for a large tree.
type limited struct {
	*memory
	left atomic.Int64
}

func (l *limited) WriteContent(h object.Header, content io.Reader) (object.Checksum, error) {
	if h.Size > 1<<20 || l.left.Add(-int64(h.Size)) < 0 {
		return object.Checksum{}, errFull
	}
	return l.memory.WriteContent(h, content)
}

func (m *memory) DirTree(sum object.Checksum) (object.DirTree, error) {
	return object.DecodeDirTree(m.objects[sum])
}

// FuzzImport: an archive is refused, or gives the same tree each time, all of whose
// objects a reader takes, and all of whose paths lie in it.
func FuzzImport(f *testing.F) {
	for _, c := range cases() {
		if len(c.data) < 1<<14 {
			f.Add(c.data, c.create)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, create bool) {
		run := func() (*memory, string, error) {
			tx := &limited{memory: newMemory()}
			tx.left.Store(4 << 20)
			sum, err := importInto(tx, data, Options{AutocreateParents: create})
			return tx.memory, sum, err
		}
		tx, sum, err := run()
		if err != nil {
			return
		}
		if _, again, err := run(); err != nil || again != sum {
			t.Fatalf("%s, then %s, %v", sum, again, err)
		}
		checkTree(t, tx)
	})
}

// checkTree reads all that an import has written.
func checkTree(t *testing.T, tx *memory) {
	for sum, data := range tx.objects {
		if _, err := object.DecodeDirTree(data); err != nil {
			if _, err := object.DecodeDirMeta(data); err != nil {
				t.Fatalf("%s is no dirtree and no dirmeta: %v", sum, err)
			}
			continue
		}
		err := tree.Walk(tx, tree.Entry{Path: "/", Tree: sum}, func(e tree.Entry) error {
			if !utf8.ValidString(e.Path) {
				return errors.New("not UTF-8: " + e.Path)
			}
			if _, held := tx.headers[e.Content]; !e.IsDir() && !held {
				return errors.New("content that was not written: " + e.Path)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

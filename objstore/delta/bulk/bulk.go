// Package bulk holds bytes that are looked at anywhere and may be many: in memory, or, from some
// length on, mapped from a file that has no name.
package bulk

import (
	"io"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
)

// Bulk is bytes that don't change.
type Bulk struct {
	data   []byte
	mapped bool
}

// Of is a Bulk of bytes in memory, which it keeps.
func Of(data []byte) *Bulk { return &Bulk{data: data} }

// Read holds all that there is to read, up to so many bytes of it in memory.
func Read(repo *objstore.Repo, from io.Reader, memory int) (*Bulk, error) {
	w := NewWriter(repo, memory)
	if _, err := io.Copy(w, from); err != nil {
		w.Close()
		return nil, err
	}
	return w.Done()
}

// Bytes are in place: they go when b is closed, and are not to be changed.
func (b *Bulk) Bytes() []byte { return b.data }

// InMemory reports whether they are in memory.
func (b *Bulk) InMemory() bool { return !b.mapped }

// Close gives memory back.
func (b *Bulk) Close() {
	if b.mapped {
		unix.Munmap(b.data)
	}
	b.data, b.mapped = nil, false
}

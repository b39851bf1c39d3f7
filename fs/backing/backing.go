// Package backing turns content objects into files that can be read at any
// offset: an object file that holds its content as it is, or what an archive
// repository holds deflated, inflated once.
//
// A Store keeps files open within bounds and closes the one that was unused the
// longest. Its parts, by checksum, have locks of their own.
//
// Inflated content that was verified goes to a cache on disk, which all servers
// of a user share and which outlives them. It is derived data: nothing in it is
// believed unseen, its least recently used files go first, and where it can't be
// had the content is held otherwise: in a file without a name, then in memory, and
// what is too large for that is inflated again whenever it is read.
//
// Who asks for a check gets content that was verified when it was opened, before
// a byte of it was given out, or of which the Record knows that it was earlier,
// in the same file and under the same header; what was held open since is
// verified again if its file has changed. Who does not ask gets an object's
// content as the repository has it. Copies in the cache are verified, or known,
// for both.
//
// The kernel keeps the pages of what it reads through the filesystem. So those
// of the file beneath are let go, unless somebody had them before.
package backing

import (
	"io"
	"os"
	"sync/atomic"
	"time"

	"deployfs/objstore/object"
)

// Content is an open content object. Its Read fails at the end, when the
// content is not what the object's name says, unless Trust was called, and when
// it has not the promised size. Verify reads to the end. CheckFile checks a copy
// of the content in the same way.
type Content interface {
	io.ReadCloser
	Describe() object.Header // as the repository says, which Verify and CheckFile check too
	Size() int64             // that Read promises, in bytes
	Verify() error
	CheckFile(io.Reader) error
	Plain() *os.File   // the content as it is, or nil; valid until Close
	Release() *os.File // the same, but Close leaves it open
	Trust()
}

// Limits bound what a Store holds while nobody uses it.
type Limits struct {
	Files int   // open files
	Bytes int64 // bytes of inflated content outside the shared cache
}

// shards is how many parts a Store has.
const shards = 16

// Store holds open files by their object's checksum.
type Store struct {
	open     func(object.Checksum) (Content, error)
	inflated *Inflated
	record   *Record
	limits   Limits
	began    time.Time

	shards [shards]shard
	files  atomic.Int64 // in all shards
	bytes  atomic.Int64 // in files without a name, used and idle
	memory atomic.Int64 // bytes of inflated content that are not on disk
}

// wanted is what somebody asks for: an object, perhaps verified, perhaps anew.
type wanted struct {
	sum   object.Checksum
	check bool
	anew  bool
}

// NewStore makes a Store over objects that open opens. The Store closes
// inflated, but not the record, which may be nil.
func NewStore(open func(object.Checksum) (Content, error), inflated *Inflated, record *Record, limits Limits) *Store {
	s := &Store{open: open, inflated: inflated, record: record, limits: limits, began: time.Now()}
	for i := range s.shards {
		s.shards[i].init()
	}
	return s
}

func (s *Store) shard(sum object.Checksum) *shard { return &s.shards[sum[0]%shards] }

// Acquire returns the content of object sum, which the caller must release.
// With check, it is content that was verified, now or earlier as the record
// knows.
func (s *Store) Acquire(sum object.Checksum, check bool) (*File, error) {
	for h := s.shard(sum); ; {
		if f := s.use(h, sum, check); f != nil {
			return f, nil
		}
		if f, err := s.fly(h, wanted{sum: sum, check: check}); f != nil || err != nil {
			return f, err
		}
	}
}

// use takes what is held of an object. With check it is what was verified: a file
// that has changed since, which may be long before anybody reads it, is let go.
func (s *Store) use(h *shard, sum object.Checksum, check bool) *File {
	f := h.use(sum, check)
	if f == nil || !check || !f.changed() {
		return f
	}
	s.Release(f)
	s.forget(h, sum)
	return nil
}

// Reopen verifies object sum anew, whatever is held and recorded of it, and
// returns its content, which the caller must release.
func (s *Store) Reopen(sum object.Checksum) (*File, error) {
	h := s.shard(sum)
	s.forget(h, sum)
	for {
		if f, err := s.fly(h, wanted{sum: sum, check: true, anew: true}); f != nil || err != nil {
			return f, err
		}
	}
}

// fly loads what is wanted, once for all who want it now. It returns nil when
// the file is gone again.
func (s *Store) fly(h *shard, want wanted) (*File, error) {
	f, err := h.flights.Do(want, func() (*File, error) {
		if f := h.held(want); f != nil {
			return f, nil
		}
		return s.load(h, want)
	})
	if err == nil && !h.useFile(f) {
		f = nil
	}
	return f, err
}

// forget drops what is held of an object.
func (s *Store) forget(h *shard, sum object.Checksum) {
	h.mu.Lock()
	f := h.files[sum]
	gone := f != nil && s.drop(h, f)
	h.mu.Unlock()
	if gone {
		s.discard(f)
	}
}

// Release gives back a file that Acquire or Reopen returned.
func (s *Store) Release(f *File) {
	h := s.shard(f.sum)
	h.mu.Lock()
	f.users--
	unused := f.users == 0
	if unused && !f.dropped {
		h.push(f, int64(time.Since(s.began)))
	}
	gone := unused && f.dropped
	h.mu.Unlock()
	switch {
	case gone:
		s.discard(f)
	case unused:
		s.shrink()
	}
}

// Used is how many files are held, and how many bytes of inflated content are
// on disk, here and in the shared cache.
func (s *Store) Used() (files int, bytes int64) {
	return int(s.files.Load()), s.bytes.Load() + s.inflated.used()
}

// Limits is what the Store was made with.
func (s *Store) Limits() Limits { return s.limits }

// Close closes every file that nobody uses, and ends the work on the cache.
// Files in use stay as they are until they are released.
func (s *Store) Close() {
	for i := range s.shards {
		h := &s.shards[i]
		h.mu.Lock()
		var unused []*File
		for _, f := range h.files {
			if s.drop(h, f) {
				unused = append(unused, f)
			}
		}
		h.mu.Unlock()
		for _, f := range unused {
			s.discard(f)
		}
	}
	s.inflated.close()
}

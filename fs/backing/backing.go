// Package backing turns content objects into files that can be read at any
// offset: an object file that holds its content as it is, or a private copy of
// what an archive repository holds deflated.
//
// A Store keeps files open and copies on disk within bounds, and lets go of the
// one that was unused the longest.
package backing

import (
	"container/list"
	"io"
	"os"
	"sync"

	"deployfs/fs/flight"
	"deployfs/objstore/object"
)

// Content is an open content object. Its Read fails at the end, when the
// content is not what the object's name says, unless Trust was called. Verify
// reads to the end.
type Content interface {
	io.ReadCloser
	Size() int64 // that Read promises, in bytes
	Verify() error
	Plain() *os.File   // the content as it is, or nil; valid until Close
	Release() *os.File // the same, but Close leaves it open
	Trust()
}

// Limits bound what a Store holds while nobody uses it.
type Limits struct {
	Files int   // open files
	Bytes int64 // bytes of inflated content on disk
}

// Store holds open files by their object's checksum.
type Store struct {
	open   func(object.Checksum) (Content, error)
	spool  *Spool
	limits Limits

	flights flight.Group[wanted, *File]

	mu    sync.Mutex
	files map[object.Checksum]*File
	idle  list.List // of *File, the longest unused at the front
	bytes int64     // in the spool, used and idle
}

// wanted is what somebody asks for: an object, perhaps verified.
type wanted struct {
	sum   object.Checksum
	check bool
}

// File is one object's content. It is read until it is released.
type File struct {
	*os.File
	Size    int64 // of the content when it was opened, in bytes
	sum     object.Checksum
	checked bool          // it was verified
	spooled int64         // bytes in the spool, 0 for an object file
	users   int           // guarded by Store.mu
	idle    *list.Element // in Store.idle while users is 0
	dropped bool          // no longer in Store.files
}

// NewStore makes a Store over objects that open opens.
func NewStore(open func(object.Checksum) (Content, error), spool *Spool, limits Limits) *Store {
	return &Store{open: open, spool: spool, limits: limits, files: map[object.Checksum]*File{}}
}

// Acquire returns the content of object sum, which the caller must release.
// With check, it is content that was verified after it was opened.
func (s *Store) Acquire(sum object.Checksum, check bool) (*File, error) {
	for want := (wanted{sum, check}); ; {
		if f := s.use(want); f != nil {
			return f, nil
		}
		f, err := s.flights.Do(want, func() (*File, error) {
			if f := s.held(want); f != nil {
				return f, nil
			}
			return s.load(want)
		})
		if err != nil {
			return nil, err
		}
		if s.useFile(f) {
			return f, nil
		}
	}
}

// Reopen verifies object sum from its repository anew, whatever is held of it,
// and returns its content.
func (s *Store) Reopen(sum object.Checksum) (*File, error) {
	s.mu.Lock()
	if f := s.files[sum]; f != nil {
		s.drop(f)
	}
	s.mu.Unlock()
	return s.Acquire(sum, true)
}

// Release gives back a file that Acquire or Reopen returned.
func (s *Store) Release(f *File) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f.users--
	if f.users > 0 {
		return
	}
	if f.dropped {
		s.discard(f)
		return
	}
	f.idle = s.idle.PushBack(f)
	s.shrink()
}

// Used is how many files are held, and how many bytes on disk.
func (s *Store) Used() (files int, bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.files), s.bytes
}

// Limits is what the Store was made with.
func (s *Store) Limits() Limits { return s.limits }

func (s *Store) use(want wanted) *File {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.find(want)
	if f != nil {
		s.take(f)
	}
	return f
}

func (s *Store) held(want wanted) *File {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.find(want)
}

// find returns what is held, unless it lacks a check that is wanted.
func (s *Store) find(want wanted) *File {
	if f := s.files[want.sum]; f != nil && (f.checked || !want.check) {
		return f
	}
	return nil
}

// useFile takes a file that was just loaded, unless it is gone again.
func (s *Store) useFile(f *File) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.dropped {
		return false
	}
	s.take(f)
	return true
}

func (s *Store) take(f *File) {
	if f.idle != nil {
		s.idle.Remove(f.idle)
		f.idle = nil
	}
	f.users++
}

// load opens, and perhaps verifies, the content of an object.
func (s *Store) load(want wanted) (*File, error) {
	content, err := s.open(want.sum)
	if err != nil {
		return nil, err
	}
	defer content.Close()
	if !want.check {
		content.Trust()
	}
	f := &File{sum: want.sum, checked: want.check}
	if plain := content.Plain(); plain != nil {
		err = f.usePlain(plain, content)
	} else {
		f.File, f.spooled, err = s.spool.copy(content, content.Size())
		f.Size = f.spooled
	}
	if err != nil {
		return nil, err
	}
	s.add(f)
	return f, nil
}

// usePlain takes over the object file, once it is verified if it is to be.
func (f *File) usePlain(plain *os.File, content Content) error {
	info, err := plain.Stat()
	if err == nil && f.checked {
		err = content.Verify()
	}
	if err != nil {
		return err
	}
	f.File, f.Size = content.Release(), info.Size()
	return nil
}

// add holds a file as idle, so that nothing is lost when nobody takes it.
func (s *Store) add(f *File) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if old := s.files[f.sum]; old != nil {
		s.drop(old)
	}
	s.files[f.sum] = f
	s.bytes += f.spooled
	f.idle = s.idle.PushBack(f)
}

// shrink closes idle files until the Store is within its limits. It keeps the
// last, or content larger than the limit would be inflated for each read.
func (s *Store) shrink() {
	for s.idle.Len() > 1 && (len(s.files) > s.limits.Files || s.bytes > s.limits.Bytes) {
		s.drop(s.idle.Front().Value.(*File))
	}
}

// drop forgets a file, and closes it unless it is in use.
func (s *Store) drop(f *File) {
	delete(s.files, f.sum)
	f.dropped = true
	if f.idle != nil {
		s.idle.Remove(f.idle)
		f.idle = nil
	}
	if f.users == 0 {
		s.discard(f)
	}
}

func (s *Store) discard(f *File) {
	s.bytes -= f.spooled
	f.Close() // it was only read
}

// Close closes every file that nobody uses.
func (s *Store) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.files {
		s.drop(f)
	}
}

package backing

import (
	"io"
	"os"

	"golang.org/x/sys/unix"

	"deployfs/objstore/object"
)

// load opens, and perhaps verifies, the content of an object.
func (s *Store) load(h *shard, want wanted) (*File, error) {
	f := s.loadKnown(want)
	if f == nil {
		content, err := s.openContent(want.sum, want.check)
		if err != nil {
			return nil, err
		}
		defer content.Close()
		f = &File{sum: want.sum, checked: want.check, fd: -1}
		if plain := content.Plain(); plain != nil {
			err = s.loadPlain(f, content, want.anew)
		} else {
			err = s.loadInflated(f, content, want.anew)
		}
		if err != nil {
			return nil, err
		}
	}
	s.add(h, f)
	return f, nil
}

func (s *Store) openContent(sum object.Checksum, check bool) (Content, error) {
	content, err := s.open(sum)
	if err == nil && !check {
		content.Trust()
	}
	return content, err
}

// loadKnown opens content in the cache that the record knows, without a look at
// the object. It returns nil when there is none.
func (s *Store) loadKnown(want wanted) *File {
	if want.anew || s.record == nil || !s.inflates.Load() {
		return nil
	}
	fd, st, ok := s.inflated.find(want.sum)
	if !ok {
		return nil
	}
	if !steady(fd) || !s.record.Known(want.sum, &st) {
		unix.Close(fd)
		return nil
	}
	f := &File{sum: want.sum, checked: true, fd: fd, Size: st.Size}
	f.pages.watch(fd, st.Size)
	return f
}

// loadPlain takes over the object file, once it is verified if it is to be.
func (s *Store) loadPlain(f *File, content Content, anew bool) error {
	fd := int(content.Plain().Fd())
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return os.NewSyscallError("fstat", err)
	}
	f.pages.watch(fd, st.Size)
	if f.checked {
		if err := s.verify(f.sum, fd, &st, anew, content.Verify); err != nil {
			return err
		}
	}
	f.fd, f.plain, f.Size = fd, content.Release(), st.Size
	return nil
}

// loadInflated opens the cached copy of content, or makes one.
func (s *Store) loadInflated(f *File, content Content, anew bool) error {
	s.inflates.Store(true)
	if s.loadCached(f, content, anew) {
		return nil
	}
	return s.inflate(f, content)
}

func (s *Store) loadCached(f *File, content Content, anew bool) bool {
	fd, st, ok := s.inflated.find(f.sum)
	if !ok {
		return false
	}
	f.pages.watch(fd, st.Size)
	ok = st.Size == content.Size()
	if ok && f.checked {
		copied := io.NewSectionReader(descriptor(fd), 0, st.Size)
		ok = s.verify(f.sum, fd, &st, anew, func() error { return content.CheckFile(copied) }) == nil
	}
	if !ok {
		s.inflated.remove(f.sum)
		unix.Close(fd)
		return false
	}
	f.fd, f.Size = fd, st.Size
	return true
}

// verify calls check, which reads the whole file, unless the record knows the
// file that st tells about.
func (s *Store) verify(sum object.Checksum, fd int, st *unix.Stat_t, anew bool, check func() error) error {
	recorded := s.record != nil && steady(fd)
	if recorded && !anew && s.record.Known(sum, st) {
		return nil
	}
	quiet := settled(st)
	err := check()
	switch {
	case !recorded:
	case err != nil:
		s.record.strike(sum, st)
	case quiet:
		s.record.Add(sum, st)
	}
	return err
}

// descriptor reads an open file.
type descriptor int

func (d descriptor) ReadAt(p []byte, off int64) (int, error) { return readAt(int(d), p, off) }

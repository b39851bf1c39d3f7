package backing

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"deployfs/objstore/object"
)

// load opens, and perhaps verifies, the content of an object.
func (s *Store) load(h *shard, want wanted) (*File, error) {
	content, err := s.openContent(want.sum, want.check)
	if err != nil {
		return nil, err
	}
	defer content.Close()
	f := &File{sum: want.sum, Header: content.Describe(), checked: want.check, fd: -1}
	if plain := content.Plain(); plain != nil {
		err = s.loadPlain(f, content, want.anew)
	} else {
		err = s.loadInflated(f, content, want.anew)
	}
	if err != nil {
		return nil, err
	}
	s.add(h, f)
	return f, nil
}

// openContent opens an object. Where there are no more descriptors, unused files
// give theirs.
func (s *Store) openContent(sum object.Checksum, check bool) (Content, error) {
	content, err := s.open(sum)
	for errors.Is(err, unix.EMFILE) && s.dropOldest(0) {
		content, err = s.open(sum)
	}
	if err == nil && !check {
		content.Trust()
	}
	return content, err
}

// loadPlain takes over the object file, once it is verified if it is to be.
func (s *Store) loadPlain(f *File, content Content, anew bool) error {
	fd := int(content.Plain().Fd())
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return os.NewSyscallError("fstat", err)
	}
	f.pages.watch(fd, st.Size)
	f.stamp(&st)
	if f.checked {
		if err := s.verify(f, fd, &st, anew, content.Verify); err != nil {
			return err
		}
	}
	f.fd, f.plain, f.Size = fd, content.Release(), st.Size
	return nil
}

// loadInflated opens the cached copy of content, or makes one.
func (s *Store) loadInflated(f *File, content Content, anew bool) error {
	if s.loadCached(f, content, anew) {
		return nil
	}
	return s.inflate(f, content)
}

// loadCached opens the cached copy of content. Whoever made it may have been cut
// short before it reached the disk: it is verified for those also who want no
// check.
func (s *Store) loadCached(f *File, content Content, anew bool) bool {
	fd, st, ok := s.inflated.find(f.sum)
	if !ok {
		return false
	}
	f.pages.watch(fd, st.Size)
	f.stamp(&st)
	copied := io.NewSectionReader(descriptor(fd), 0, st.Size)
	check := func() error { return content.CheckFile(copied) }
	if st.Size != content.Size() || s.verify(f, fd, &st, anew, check) != nil {
		s.inflated.remove(f.sum)
		unix.Close(fd)
		f.named = false
		return false
	}
	f.fd, f.Size, f.checked = fd, st.Size, true
	return true
}

// verify calls check, which reads the whole file, unless the record knows the
// file that st tells about, under f's header.
func (s *Store) verify(f *File, fd int, st *unix.Stat_t, anew bool, check func() error) error {
	if s.record == nil || !steady(fd) {
		return check()
	}
	header := digest(&f.Header)
	if !anew && s.record.Known(f.sum, header, st) {
		return nil
	}
	quiet := settled(st)
	err := check()
	if err != nil {
		s.record.strike(f.sum, header, st)
	} else if quiet {
		s.record.Add(f.sum, header, st)
	}
	return err
}

// descriptor reads an open file.
type descriptor int

func (d descriptor) ReadAt(p []byte, off int64) (int, error) { return readAt(int(d), p, off) }

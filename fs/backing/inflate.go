package backing

import (
	"errors"
	"fmt"
	"io"
	"sync"

	"golang.org/x/sys/unix"
)

// maxMemfd is how large content may be to be held in memory, in bytes.
const maxMemfd = 16 << 20

// errNoRoom is why content has to be put elsewhere.
var errNoRoom = errors.New("no room for inflated content")

// inflate puts content where there is room for it. Each place after the first
// reads it from the start.
func (s *Store) inflate(f *File, content Content) error {
	err := s.toDisk(f, content)
	for _, place := range [...]func(*File, Content) error{s.toMemory, s.toNowhere} {
		if !errors.Is(err, errNoRoom) {
			return err
		}
		err = s.again(f, place)
	}
	return err
}

func (s *Store) again(f *File, place func(*File, Content) error) error {
	content, err := s.openContent(f.sum, f.checked)
	if err != nil {
		return err
	}
	defer content.Close()
	f.Header = content.Describe()
	return place(f, content)
}

// toDisk inflates to a file without a name. Content that was verified on the way
// gets its name in the cache.
func (s *Store) toDisk(f *File, content Content) error {
	fd, err := s.inflated.create(content.Size())
	if err != nil {
		return err
	}
	n, err := copyTo(fd, content)
	if err != nil {
		unix.Close(fd)
		return err
	}
	f.fd, f.Size = fd, n
	st, ok := s.inflated.insert(f.sum, fd, f.checked)
	if !ok {
		f.nameless = n
		s.bytes.Add(n)
		return nil
	}
	f.stamp(&st)
	f.pages.ours.Store(true)
	if steady(fd) {
		s.record.made(f.sum, digest(&f.Header), &st)
	}
	return nil
}

func (s *Store) toMemory(f *File, content Content) error {
	size := content.Size()
	if size > maxMemfd || !s.makeRoom(size) {
		return errNoRoom
	}
	n, fd, err := int64(0), -1, error(nil)
	if fd, err = unix.MemfdCreate("inflated", unix.MFD_CLOEXEC); err != nil {
		err = fmt.Errorf("%w: memfd: %w", errNoRoom, err)
	} else if n, err = copyTo(fd, content); err != nil {
		unix.Close(fd)
	}
	if err != nil {
		s.memory.Add(-size)
		return err
	}
	f.fd, f.Size, f.memory = fd, n, size
	return nil
}

// toNowhere keeps nothing of the content: it will be inflated for each read.
func (s *Store) toNowhere(f *File, content Content) error {
	if f.checked {
		if err := content.Verify(); err != nil {
			return err
		}
	}
	f.Size = content.Size()
	sum, check := f.sum, f.checked
	f.stream = newStream(func() (Content, error) { return s.openContent(sum, check) }, f.Size)
	f.memory = f.stream.window()
	s.memory.Add(f.memory)
	return nil
}

var copyBuffers = sync.Pool{New: func() any { return new([128 << 10]byte) }}

// copyTo writes content to an empty file and tells its size. When it can't be
// written, the error is an errNoRoom.
func copyTo(fd int, content io.Reader) (size int64, err error) {
	buf := copyBuffers.Get().(*[128 << 10]byte)
	defer copyBuffers.Put(buf)
	for {
		n, err := content.Read(buf[:])
		if err := writeAt(fd, buf[:n], size); err != nil {
			return size, fmt.Errorf("%w: %w", errNoRoom, err)
		}
		size += int64(n)
		if err == io.EOF {
			return size, nil
		}
		if err != nil {
			return size, err
		}
	}
}

func writeAt(fd int, p []byte, off int64) error {
	for len(p) > 0 {
		n, err := unix.Pwrite(fd, p, off)
		if err != nil && err != unix.EINTR {
			return err
		}
		n = max(n, 0)
		p, off = p[n:], off+int64(n)
	}
	return nil
}

package backing

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// Spool is where inflated content is kept: files without a name, which vanish
// with the process.
type Spool struct{ dir string }

// NewSpool makes a spool in dir, which is created when it is first needed.
func NewSpool(dir string) *Spool { return &Spool{dir} }

// copy writes content of the promised size to a new file and tells its size in
// bytes. What would not fit is refused before anything is written.
func (s *Spool) copy(content io.Reader, size int64) (*os.File, int64, error) {
	f, err := s.create()
	if err == nil {
		err = fits(f, size)
	}
	if err != nil {
		f.Close() // of nil does nothing
		return nil, 0, fmt.Errorf("spool for inflated content: %w", err)
	}
	n, err := io.Copy(f, content)
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, n, nil
}

// fits fails unless size bytes can be written to f's filesystem, and a twentieth
// of what is free there stays free.
func fits(f *os.File, size int64) error {
	var st unix.Statfs_t
	if err := unix.Fstatfs(int(f.Fd()), &st); err != nil {
		return err
	}
	if free := int64(st.Bavail) * st.Bsize; size > free-free/20 {
		return fmt.Errorf("%d bytes are needed, %d are free: %w", size, free, unix.ENOSPC)
	}
	return nil
}

func (s *Spool) create() (*os.File, error) {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return nil, err
	}
	fd, err := unix.Open(s.dir, unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
	if err == nil {
		return os.NewFile(uintptr(fd), s.dir), nil
	}
	f, err := os.CreateTemp(s.dir, "inflated-")
	if err != nil {
		return nil, err
	}
	return f, os.Remove(f.Name())
}

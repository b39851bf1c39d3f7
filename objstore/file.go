package objstore

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// strError is an errno with the C library's text, which ostree prints.
type strError struct{ errno unix.Errno }

func (e strError) Error() string { return ErrnoText(e.errno) }

func (e strError) Unwrap() error { return e.errno }

// ErrnoText is the C library's text for an errno, which ostree prints: it is Go's, with a capital.
func ErrnoText(errno unix.Errno) string {
	text := errno.Error()
	return strings.ToUpper(text[:1]) + text[1:]
}

// ErrnoError is an errno as an error with the C library's text.
func ErrnoError(errno unix.Errno) error { return strError{errno} }

// describe gives an errno the C library's text.
func describe(err error) error {
	if errno, ok := err.(unix.Errno); ok {
		return strError{errno}
	}
	return err
}

// plain takes a path error down to its errno, with the C library's text.
func plain(err error) error {
	var errno unix.Errno
	if errors.As(err, &errno) {
		return strError{errno}
	}
	return err
}

// openRegular opens a regular file below dir for reading. It never follows a
// symbolic link and never waits for a writer of a pipe.
func openRegular(dir *os.File, path string) (*os.File, *unix.Stat_t, error) {
	var fd int
	err := uninterrupted(func() (err error) {
		fd, err = unix.Openat(int(dir.Fd()), path, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	f := os.NewFile(uintptr(fd), path)
	var st unix.Stat_t
	if err := uninterrupted(func() error { return unix.Fstat(fd, &st) }); err != nil {
		f.Close()
		return nil, nil, err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		f.Close()
		return nil, nil, errNotRegular
	}
	return f, &st, nil
}

// uninterrupted calls again what a signal interrupted: a network file system
// lets the runtime's own signals through.
func uninterrupted(call func() error) error {
	for {
		if err := call(); err != unix.EINTR {
			return err
		}
	}
}

var errNotRegular = errors.New("not a regular file")

// SizeError says that a file has more bytes than are allowed.
type SizeError struct{ Size, Limit int64 }

func (e *SizeError) Error() string {
	return fmt.Sprintf("%d bytes, at most %d are allowed", e.Size, e.Limit)
}

// readFileAt reads a regular file of at most limit bytes below dir.
func readFileAt(dir *os.File, path string, limit int64) ([]byte, error) {
	f, st, err := openRegular(dir, path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if st.Size > limit {
		return nil, &SizeError{st.Size, limit}
	}
	data := make([]byte, st.Size)
	n, err := io.ReadFull(f, data)
	if err == io.ErrUnexpectedEOF || err == io.EOF {
		err = nil
	}
	return data[:n], err
}

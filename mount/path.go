package mount

import (
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Canonical returns the absolute path of what path names, as the mount table
// shows it: every symbolic link resolved, no "." or "..". Of a filesystem that
// is mounted at path itself nothing is asked, so that it works on the mount of
// a dead or hanging FUSE server, and triggers no automount.
func Canonical(path string) (string, error) {
	name, err := canonical(path)
	if err != nil {
		return "", &Error{Op: "resolve", Path: path, Err: err}
	}
	return name, nil
}

// canonical is Canonical with a bare errno.
func canonical(path string) (string, error) {
	fd, err := openPath(path)
	if err != nil {
		return "", err
	}
	defer unix.Close(fd)
	return fdPath(fd)
}

// openPath returns a descriptor that only names path. The open file keeps a
// mount busy until it is closed.
func openPath(path string) (int, error) {
	for {
		fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
		if err != unix.EINTR {
			return fd, err
		}
	}
}

// fdPath returns the path by which the kernel knows fd.
func fdPath(fd int) (string, error) {
	name, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(fd))
	if err != nil {
		return "", fmt.Errorf("is /proc mounted? %w", err)
	}
	return name, nil
}

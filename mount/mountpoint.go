package mount

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// probeTime is how long a mounted FUSE filesystem is given to show that its
// server is dead. The kernel answers at once for a dead server; a live one may
// take for ever.
const probeTime = 500 * time.Millisecond

// CheckMountpoint tells whether a filesystem can be mounted at path: it must be
// a directory, be empty unless nonEmpty is set, and carry no mount yet
// (ErrNotEmpty, ErrMounted, ErrServerGone). A directory that waits for an
// automount is always good, and is not looked into: that would wait for the
// mount.
func CheckMountpoint(path string, nonEmpty bool) error {
	e, mounted, err := mountedAt(path)
	switch {
	case errors.Is(err, unix.ENOENT):
		return &Error{Op: "mount", Path: path, Err: unix.ENOENT, Remedy: fmt.Sprintf("make it with `mkdir -p %s`", quote(path))}
	case errors.Is(err, unix.ENOTCONN):
		return &Error{Op: "mount", Path: path, Err: errors.New("lies below a fuse mount whose server has died"),
			Remedy: "unmount that one first; `findmnt` shows where it is"}
	case err != nil:
		return &Error{Op: "mount", Path: path, Err: err}
	case mounted && e.Type == "autofs":
		return nil
	case mounted:
		return mountedError(path, e)
	}
	return checkDirectory(path, nonEmpty)
}

// mountedAt returns the topmost mount at path without asking it anything.
func mountedAt(path string) (e Entry, mounted bool, err error) {
	fd, err := openPath(path)
	if err != nil {
		return Entry{}, false, err
	}
	defer unix.Close(fd)
	name, err := fdPath(fd)
	if err != nil {
		return Entry{}, false, err
	}
	table, err := Table()
	if err != nil {
		return Entry{}, false, err
	}
	if e, mounted = At(table, name); mounted {
		return e, true, nil
	}
	// The root of a namespace or of a chroot can be a mount that the table
	// does not show.
	return Entry{Mountpoint: name}, isMountRoot(fd), nil
}

// isMountRoot reports whether fd is the root of a mount. Linux before 5.8 does
// not tell, and then the answer is no.
func isMountRoot(fd int) bool {
	var st unix.Statx_t
	flags := unix.AT_EMPTY_PATH | unix.AT_STATX_DONT_SYNC | unix.AT_NO_AUTOMOUNT
	if err := unix.Statx(fd, "", flags, 0, &st); err != nil {
		return false
	}
	return st.Attributes&unix.STATX_ATTR_MOUNT_ROOT != 0
}

// mountedError says what is mounted at path.
func mountedError(path string, e Entry) error {
	hint := fmt.Sprintf("unmount it with `deployfs umount %s`, or use another directory", quote(path))
	switch {
	case e.IsFUSE() && serverGone(e.Mountpoint):
		hint = fmt.Sprintf("take the dead mount away with `deployfs umount %s`", quote(path))
		return &Error{Op: "mount", Path: path, Err: ErrServerGone, Remedy: hint}
	case e.Type != "":
		return &Error{Op: "mount", Path: path, Err: fmt.Errorf("%w (%s, %s)", ErrMounted, e.Type, quote(e.Source)), Remedy: hint}
	}
	return &Error{Op: "mount", Path: path, Err: ErrMounted, Remedy: hint}
}

// serverGone reports whether the kernel knows that the server of the FUSE mount
// at path has died. Where the server only hangs, it gives up after probeTime
// and leaves a thread behind that waits in the kernel.
func serverGone(path string) bool {
	result := make(chan error, 1)
	go func() {
		var st unix.Statfs_t
		result <- unix.Statfs(path, &st)
	}()
	select {
	case err := <-result:
		return err == unix.ENOTCONN
	case <-time.After(probeTime):
		return false
	}
}

// checkDirectory checks that path is a directory, and empty unless nonEmpty.
func checkDirectory(path string, nonEmpty bool) error {
	info, err := os.Stat(path)
	if err != nil {
		return &Error{Op: "mount", Path: path, Err: reason(err)}
	}
	if !info.IsDir() {
		return &Error{Op: "mount", Path: path, Err: unix.ENOTDIR, Remedy: "the mountpoint must be a directory"}
	}
	if nonEmpty {
		return nil
	}
	dir, err := os.Open(path)
	if err != nil {
		return &Error{Op: "mount", Path: path, Err: reason(err)}
	}
	defer dir.Close()
	switch _, err := dir.Readdirnames(1); {
	case err == nil:
		return &Error{Op: "mount", Path: path, Err: ErrNotEmpty, Remedy: "use an empty directory, or hide its content with --nonempty"}
	case errors.Is(err, io.EOF):
		return nil
	default:
		return &Error{Op: "mount", Path: path, Err: reason(err)}
	}
}

// reason strips operation and path from an error of package os, for an Error
// that names them itself.
func reason(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

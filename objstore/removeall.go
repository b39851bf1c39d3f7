package objstore

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// RemoveAll removes what has a name in a directory, if anything, with all that is below. It follows no
// symbolic link.
func RemoveAll(dir int, name string) error {
	switch err := unix.Unlinkat(dir, name, 0); err {
	case nil, unix.ENOENT:
		return nil
	case unix.EISDIR, unix.EPERM:
	default:
		return fmt.Errorf("unlinkat(%s): %w", name, describe(err))
	}
	if err := removeBelow(dir, name); err != nil {
		return err
	}
	if err := unix.Unlinkat(dir, name, unix.AT_REMOVEDIR); err != nil && err != unix.ENOENT {
		return fmt.Errorf("unlinkat(%s): %w", name, describe(err))
	}
	return nil
}

// removeBelow empties a directory, of which the user may have taken the permission from himself.
func removeBelow(dir int, name string) error {
	const flags = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC
	fd, err := unix.Openat(dir, name, flags, 0)
	if err == unix.EACCES && unix.Fchmodat(dir, name, 0o700, unix.AT_SYMLINK_NOFOLLOW) == nil {
		fd, err = unix.Openat(dir, name, flags, 0)
	}
	if err == unix.ENOENT {
		return nil // somebody else was faster
	}
	if err != nil {
		return fmt.Errorf("opendir(%s): %w", name, describe(err))
	}
	f := os.NewFile(uintptr(fd), name)
	defer f.Close()
	if unix.Faccessat(fd, ".", unix.W_OK|unix.X_OK, unix.AT_EACCESS) != nil {
		unix.Fchmod(fd, 0o700)
	}
	for {
		names, err := f.Readdirnames(256)
		for _, below := range names {
			if err := RemoveAll(fd, below); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("readdir: %w", plain(err))
		}
	}
}

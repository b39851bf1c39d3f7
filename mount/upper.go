package mount

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// prepare makes the upper and the work directory where they are absent. The
// root directory of an overlay has the attributes of the upper directory, which
// therefore gets those of lower, before it gets its name.
func (o overlay) prepare() error {
	if err := os.Mkdir(o.work, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	if exists(o.upper) {
		return nil
	}
	temp, err := os.MkdirTemp(filepath.Dir(o.upper), upperName+".*")
	if err != nil {
		return err
	}
	if err = copyAttributes(o.lower, temp); err == nil {
		err = os.Rename(temp, o.upper)
	}
	if err != nil {
		os.Remove(temp)
	}
	return err
}

// copyAttributes gives the directory to the owner, extended attributes (ACLs
// and security labels among them), mode and times of the directory from.
func copyAttributes(from, to string) error {
	var st unix.Stat_t
	if err := unix.Stat(from, &st); err != nil {
		return fmt.Errorf("attributes of %s: %w", quote(from), err)
	}
	if err := unix.Lchown(to, int(st.Uid), int(st.Gid)); err != nil {
		return fmt.Errorf("owner of %s: %w", quote(to), err)
	}
	if err := copyXattrs(from, to); err != nil {
		return err
	}
	// After the owner, whose change takes the setgid bit away.
	if err := unix.Chmod(to, st.Mode&0o7777); err != nil {
		return fmt.Errorf("mode of %s: %w", quote(to), err)
	}
	if err := unix.UtimesNanoAt(unix.AT_FDCWD, to, []unix.Timespec{st.Atim, st.Mtim}, 0); err != nil {
		return fmt.Errorf("times of %s: %w", quote(to), err)
	}
	return nil
}

// copyXattrs copies the extended attributes, but for those in which overlayfs
// keeps its own records. Those that the filesystem of to cannot hold are left
// out.
func copyXattrs(from, to string) error {
	names, err := readXattr(func(buf []byte) (int, error) { return unix.Llistxattr(from, buf) })
	if err != nil && err != unix.ENOTSUP {
		return fmt.Errorf("extended attributes of %s: %w", quote(from), err)
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(names), "\x00"), "\x00") {
		if name == "" || strings.HasPrefix(name, "trusted.overlay.") || strings.HasPrefix(name, "user.overlay.") {
			continue
		}
		value, err := readXattr(func(buf []byte) (int, error) { return unix.Lgetxattr(from, name, buf) })
		if err == nil {
			err = unix.Lsetxattr(to, name, value, 0)
		}
		if err != nil && err != unix.ENOTSUP {
			return fmt.Errorf("extended attribute %s of %s: %w", quote(name), quote(to), err)
		}
	}
	return nil
}

// maxXattr is the kernel's limit for a value, and for a list of names.
const maxXattr = 64 << 10

// readXattr calls read with a buffer that is large enough.
func readXattr(read func(buf []byte) (int, error)) ([]byte, error) {
	for size := 1 << 10; ; size *= 4 {
		buf := make([]byte, size)
		n, err := read(buf)
		if err == nil {
			return buf[:n], nil
		}
		if err != unix.ERANGE || size >= maxXattr {
			return nil, err
		}
	}
}

// exists reports whether there is something with that name.
func exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}

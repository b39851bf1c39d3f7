package transaction

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"deployfs/objstore/object"
)

// fresh is what the kernel gives a new file of the staging directory. The group may be
// the directory's, and there may be an ACL by default.
type fresh struct {
	uid, gid uint32
	xattrs   []string
}

// tryFresh makes a file to see.
func (t *Transaction) tryFresh() (what fresh, err error) {
	f, err := t.newFile()
	if err != nil {
		return what, err
	}
	defer f.close()
	var st unix.Stat_t
	if err := unix.Fstat(f.fd, &st); err != nil {
		return what, fmt.Errorf("fstat: %w", err)
	}
	buf := make([]byte, 64<<10) // the most that the kernel lists
	n, err := unix.Flistxattr(f.fd, buf)
	if err != nil && err != unix.EOPNOTSUPP {
		return what, fmt.Errorf("flistxattr: %w", err)
	}
	names := strings.Split(string(buf[:max(n, 0)]), "\x00")
	names = slices.DeleteFunc(names, func(name string) bool { return name == "" })
	return fresh{st.Uid, st.Gid, names}, nil
}

// shed takes from a new file the xattrs that h does not say. What a security module
// holds fast stays.
func (w *fresh) shed(f *file, h *object.Header) error {
	for _, name := range w.xattrs {
		if slices.ContainsFunc(h.Xattrs, func(x object.Xattr) bool { return x.Name == name }) {
			continue
		}
		err := unix.Fremovexattr(f.fd, name)
		if err == nil || errors.Is(err, unix.ENODATA) || strings.HasPrefix(name, "security.") {
			continue
		}
		return fmt.Errorf("fremovexattr(%s): %w", name, err)
	}
	return nil
}

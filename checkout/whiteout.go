package checkout

import (
	"bytes"
	"fmt"
	"maps"
	"strings"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/object"
)

const (
	whiteout       = ".wh."         // before a name that goes
	opaqueWhiteout = ".wh..wh..opq" // in a directory whose content goes
	deviceWhiteout = ".ostree-wh."  // before the name of a whiteout of an overlay file system
)

// isSpecial reports whether t is not made, but something else is done.
func (r *run) isSpecial(t target) bool {
	return !t.IsSymlink() && (r.Whiteouts && strings.HasPrefix(t.name, whiteout) ||
		r.DeviceWhiteouts && strings.HasPrefix(t.name, deviceWhiteout))
}

// special does what a whiteout says.
func (w *worker) special(t target, c *objstore.Content) error {
	if err := c.Verify(); err != nil {
		return err
	}
	name, isPlain := strings.CutPrefix(t.name, whiteout)
	what := "whiteout"
	if isPlain = isPlain && w.Whiteouts; !isPlain {
		name, what = strings.TrimPrefix(t.name, deviceWhiteout), "overlayfs whiteout"
	}
	if name == "" {
		return fmt.Errorf("Invalid empty %s '%s'", what, name)
	}
	if err := object.CheckName([]byte(name)); err != nil {
		return fmt.Errorf("Invalid %s %q: %w", what, t.name, err)
	}
	if t.name = name; isPlain {
		return objstore.RemoveAll(t.dir, t.name)
	}
	return w.device(t)
}

// isOpaque reports whether what is at the place of d goes before d is made.
func (r *run) isOpaque(d *dir) bool {
	if !r.Whiteouts {
		return false
	}
	_, found := d.tree.FindFile([]byte(opaqueWhiteout))
	return found
}

// vacate makes room for a file that replaces whatever is there, as far as whiteouts do.
func (r *run) vacate(t target) error {
	if !r.Whiteouts {
		return nil
	}
	return objstore.RemoveAll(t.dir, t.name)
}

// device makes a whiteout of an overlay file system: a device that no driver has.
func (w *worker) device(t target) error {
	err := w.mknod(t, t.name)
	if err == unix.EEXIST {
		switch w.Overwrite {
		case Keep:
			return nil
		case Replace:
			return replaceAt(t.dir, t.name, func(temp string) error { return w.mknod(t, temp) })
		case Identical:
			return w.isDevice(t)
		}
	}
	if err == unix.EEXIST || err == unix.EPERM {
		return failed("Creating whiteout char device", err)
	}
	return err
}

// mknod makes the device, and gives it what the file has.
func (w *worker) mknod(t target, name string) error {
	mode := t.Mode &^ object.ModeType
	if err := unix.Mknodat(t.dir, name, unix.S_IFCHR|mode, 0); err != nil || w.User {
		return err
	}
	if err := setXattrsAt(t.dir, name, t.Xattrs); err != nil {
		return err
	}
	if err := unix.Fchownat(t.dir, name, int(t.UID), int(t.GID), unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return failed("fchownat", err)
	}
	if err := unix.Fchmodat(t.dir, name, mode, 0); err != nil {
		return failed(fmt.Sprintf("fchmodat %s to 0%o", name, mode), err)
	}
	return nil
}

// isDevice fails unless the whiteout that is to be made is there.
func (w *worker) isDevice(t target) error {
	var st unix.Stat_t
	if err := unix.Fstatat(t.dir, t.name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return failed("fstatat("+t.name+")", err)
	}
	path := fmt.Sprintf("/proc/self/fd/%d/%s", t.dir, t.name)
	h, err := objstore.FileHeader(path, &st, w.repo.HasXattrs())
	switch {
	case err != nil:
		return err
	case st.Mode&unix.S_IFMT != unix.S_IFCHR || st.Rdev != 0:
		return failed("Creating whiteout char device", unix.EEXIST)
	case w.repo.HasXattrs() && !sameXattrs(h.Xattrs, t.Xattrs):
		return fmt.Errorf("existing destination file %s xattrs don't match", t.name)
	case w.User:
		return nil
	case st.Gid != t.GID:
		return fmt.Errorf("existing destination file %s does not match gid %d", t.name, t.GID)
	case st.Uid != t.UID:
		return fmt.Errorf("existing destination file %s does not match uid %d", t.name, t.UID)
	case (st.Mode^t.Mode)&0o7777 != 0:
		return fmt.Errorf("existing destination file %s does not match mode %o", t.name, t.Mode)
	}
	return nil
}

func sameXattrs(a, b []object.Xattr) bool {
	return maps.EqualFunc(byName(a), byName(b), bytes.Equal)
}

func byName(list []object.Xattr) map[string][]byte {
	m := map[string][]byte{}
	for _, x := range list {
		m[x.Name] = x.Value
	}
	return m
}

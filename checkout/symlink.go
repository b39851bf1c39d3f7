package checkout

import (
	"golang.org/x/sys/unix"

	"deployfs/objstore"
)

// copySymlink makes t, which is a symbolic link.
func (w *worker) copySymlink(t target, c *objstore.Content) error {
	if err := c.Verify(); err != nil {
		return err
	}
	err := w.symlink(t, t.name)
	switch {
	case err != unix.EEXIST:
	case w.Overwrite == Keep:
		return nil
	case w.Overwrite == Identical && readsAs(t):
		return nil
	case w.Overwrite == Replace:
		return w.replaceSymlink(t)
	}
	if err != nil {
		return failed("symlinkat", err)
	}
	return w.describeSymlink(t, t.name)
}

func (w *worker) symlink(t target, name string) error { return unix.Symlinkat(t.Target, t.dir, name) }

// replaceSymlink makes t in the place of what is there.
func (w *worker) replaceSymlink(t target) error {
	if err := w.vacate(t); err != nil {
		return err
	}
	err := replaceAt(t.dir, t.name, func(temp string) error {
		if err := w.symlink(t, temp); err != nil {
			return err
		}
		return w.describeSymlink(t, temp)
	})
	if err == unix.EISDIR {
		return failed("unlinkat("+t.name+")", err)
	}
	return err
}

// describeSymlink gives a symbolic link its owner and xattrs.
func (w *worker) describeSymlink(t target, name string) error {
	if w.User {
		return nil
	}
	if err := unix.Fchownat(t.dir, name, int(t.UID), int(t.GID), unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return failed("fchownat", err)
	}
	return setXattrsAt(t.dir, name, t.Xattrs)
}

// readsAs reports whether a symbolic link is there that points to where t does.
func readsAs(t target) bool {
	buf := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(t.dir, t.name, buf)
	return err == nil && string(buf[:n]) == t.Target
}

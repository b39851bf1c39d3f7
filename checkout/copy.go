package checkout

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/object"
)

// bufferSize is how much is copied at once, in bytes.
const bufferSize = 128 << 10

// copyError is a failure to make a copy, as ostree says it.
type copyError struct {
	t   target
	err error
}

func (e *copyError) Error() string {
	return fmt.Sprintf("Copy checkout of %s to %s: %v", e.t.sum, e.t.name, e.err)
}

func (e *copyError) Unwrap() error { return e.err }

// copy makes t a file of its own.
func (w *worker) copy(t target, c *objstore.Content) error {
	if w.Overwrite == Keep && !w.aside && taken(t) {
		return nil
	}
	if w.User && w.alwaysCopied(t) {
		t.Mode |= unix.S_IRUSR
	}
	var err error
	switch {
	case t.IsSymlink():
		err = w.copySymlink(t, c)
	case w.aside:
		err = w.copyNew(t, c)
	default:
		err = w.copyBeside(t, c)
	}
	if err != nil && !isObjectError(err) {
		err = &copyError{t, err}
	}
	return err
}

// copyNew makes a file under its name at once.
func (w *worker) copyNew(t target, c *objstore.Content) error {
	fd, err := create(t.dir, t.name)
	if err != nil {
		return failed("linkat", err)
	}
	defer unix.Close(fd)
	return w.write(fd, t, c)
}

// copyBeside makes a file and then gives it its name, which something else may have.
func (w *worker) copyBeside(t target, c *objstore.Content) error {
	temp, err := newTemp(t.dir)
	if err != nil {
		return failed("openat", err)
	}
	defer temp.close()
	if err := w.write(temp.fd, t, c); err != nil {
		return err
	}
	err = temp.link(t.dir, t.name)
	switch {
	case err == unix.EEXIST && w.Overwrite == Keep:
		return nil
	case err == unix.EEXIST && w.Overwrite == Identical:
		if same, err := w.isThere(t); same || err != nil {
			return err
		}
	case err == unix.EEXIST && w.Overwrite == Replace:
		return w.replace(t, func(name string) error { return temp.link(t.dir, name) })
	}
	if err != nil {
		return failed("linkat", err)
	}
	return nil
}

// replace puts what make makes into the place of what is there.
func (w *worker) replace(t target, make func(name string) error) error {
	if err := w.vacate(t); err != nil {
		return err
	}
	if err := replaceAt(t.dir, t.name, make); err != nil {
		return failed("renameat(.checkout, "+t.name+")", err)
	}
	return nil
}

// write fills a file, and gives it what t says, in the order in which one thing does not undo another.
func (w *worker) write(fd int, t target, c *objstore.Content) error {
	if err := w.fill(fd, c); err != nil {
		return err
	}
	mode := t.Mode &^ object.ModeType
	if w.User {
		mode &^= unix.S_ISUID | unix.S_ISGID
	} else {
		if err := unix.Fchown(fd, int(t.UID), int(t.GID)); err != nil {
			return failed("fchown", err)
		}
		if err := setXattrs(fd, t.Xattrs); err != nil {
			return err
		}
	}
	if err := unix.Fchmod(fd, mode); err != nil {
		return failed("fchmod", err)
	}
	return nil
}

// fill shares the content's blocks, or copies it, and checks what the file has then.
func (w *worker) fill(fd int, c *objstore.Content) error {
	w.stats.Bytes.Add(c.Size())
	if src := c.Plain(); src != nil && c.Size() > 0 && !w.noClone.Load() {
		if unix.IoctlFileClone(fd, int(src.Fd())) == nil {
			return w.check(fd, c)
		}
		w.noClone.Store(true)
	}
	if w.buf == nil {
		w.buf = make([]byte, bufferSize)
	}
	for {
		n, err := c.Read(w.buf)
		if n > 0 {
			if err := writeAll(fd, w.buf[:n]); err != nil {
				return failed("write", err)
			}
		}
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		case w.ctx.Err() != nil:
			return w.ctx.Err()
		}
	}
}

// check reads a clone.
func (w *worker) check(fd int, c *objstore.Content) error {
	copied, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return failed("dup", err)
	}
	f := os.NewFile(uintptr(copied), "")
	defer f.Close()
	return c.CheckFile(io.NewSectionReader(f, 0, c.Size()+1))
}

func writeAll(fd int, data []byte) error {
	for len(data) > 0 {
		n, err := unix.Write(fd, data)
		if err != nil && err != unix.EINTR {
			return err
		}
		data = data[max(n, 0):]
	}
	return nil
}

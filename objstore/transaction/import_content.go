package transaction

import (
	"errors"
	"fmt"
	"io"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/object"
)

// importContent takes over content that the repository lacks.
func (t *Transaction) importContent(from *objstore.Repo, name object.Name, o ImportOptions) (done Imported, err error) {
	t.count.content.Add(1)
	src, err := holder(from, name)
	if err != nil {
		return done, contentFailure(from, name, t.isDirect(from, o), o, err)
	}
	direct := t.isDirect(src, o)
	if o.Modest || t.sheds(src) {
		h, err := src.Header(name.Checksum)
		if err == nil {
			err = modest(name, &h)
		}
		if err != nil {
			return done, contentFailure(src, name, false, o, err)
		}
		done.Lossy = t.sheds(src) && lossy(&h)
		direct = direct && !(t.sheds(src) && h.IsSymlink())
	}
	if direct {
		taken, err := t.importFile(src, name, o)
		if taken || err != nil {
			return done, contentFailure(src, name, true, o, err)
		}
	}
	written, err := t.rewrite(src, name, o, &done)
	if !t.alike(src, object.KindFile) {
		done.Written = written
	}
	return done, contentFailure(src, name, false, o, err)
}

// isDirect reports whether content of another repository may be taken as it is.
func (t *Transaction) isDirect(src *objstore.Repo, o ImportOptions) bool {
	return t.alike(src, object.KindFile) && (t.near(src) || !o.Untrusted)
}

// modest fails where a mode has bits that bare-user-only can't keep.
func modest(name object.Name, h *object.Header) error {
	if bad := h.Mode &^ (object.ModeType | modestBits); bad != 0 && !h.IsSymlink() {
		return fmt.Errorf("Content object %s: invalid mode 0%04o with bits 0%04o", name.Checksum, h.Mode, bad)
	}
	return nil
}

const modestBits = 0o775

// lossy reports whether a header says what bare-user-only does not keep.
func lossy(h *object.Header) bool { return h.UID != 0 || h.GID != 0 || len(h.Xattrs) != 0 }

// importFile takes over content as it is. False: that can't be done.
func (t *Transaction) importFile(src *objstore.Repo, name object.Name, o ImportOptions) (bool, error) {
	if err := checkFile(src, name); err != nil {
		return false, err
	}
	if o.Untrusted {
		if err := verify(src, name.Checksum); err != nil {
			return false, err
		}
	}
	linked, err := t.importLink(src, name)
	if linked || err != nil {
		return linked, err
	}
	if t.repo.Mode() != objstore.Archive || o.Untrusted {
		return false, nil
	}
	return t.copyArchived(src, name)
}

func verify(src *objstore.Repo, sum object.Checksum) error {
	c, err := src.Content(sum)
	if err != nil {
		return err
	}
	return errors.Join(c.Verify(), c.Close())
}

// copyArchived copies an object's file, which in an archive depends on who has
// deflated it: written anew it would be another, and cost more.
func (t *Transaction) copyArchived(src *objstore.Repo, name object.Name) (bool, error) {
	objects, path := src.ObjectFile(name)
	fd, err := unix.Openat(int(objects.Fd()), path, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return false, fmt.Errorf("openat(%s): %w", path, err)
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return false, err
	}
	if err := t.space.take(uint64(st.Size)); err != nil {
		return false, err
	}
	f, err := t.newFile()
	if err != nil {
		return false, err
	}
	defer f.close()
	if err := f.copy(fd); err != nil {
		return false, err
	}
	if err := unix.Fchmod(f.fd, 0o644); err != nil {
		return false, fmt.Errorf("fchmod: %w", err)
	}
	_, err = t.place(f, name)
	return true, err
}

// copy fills the file with what another holds.
func (f *file) copy(from int) error {
	if unix.IoctlFileClone(f.fd, from) == nil {
		return nil
	}
	block := blocks.Get().(*[small]byte)
	defer blocks.Put(block)
	for {
		n, err := unix.Read(from, block[:])
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return fmt.Errorf("read: %w", err)
		}
		if n == 0 {
			return nil
		}
		if err := f.write(block[:n]); err != nil {
			return err
		}
	}
}

// rewrite writes content anew, as the repository's mode has it, and tells how many
// bytes. It is checked meanwhile.
func (t *Transaction) rewrite(src *objstore.Repo, name object.Name, o ImportOptions, done *Imported) (uint64, error) {
	c, err := src.Content(name.Checksum)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	return t.takeContent(name, c, o, done)
}

// takeContent writes content that is open.
func (t *Transaction) takeContent(name object.Name, c *objstore.Content, o ImportOptions, done *Imported) (uint64, error) {
	if t.repo.Mode() == objstore.BareUserOnly {
		if err := modest(name, &c.Header); err != nil {
			return 0, fmt.Errorf("Writing content object: %w", err)
		}
		done.Lossy = lossy(&c.Header)
	}
	forgive := func(err error) error {
		if damage := (*object.CorruptError)(nil); errors.As(err, &damage) && damage.Err == nil && !o.Untrusted {
			done.Damage, err = err, nil
		}
		return err
	}
	if c.Header.IsSymlink() {
		if err := forgive(objstore.CheckEmpty(name.Checksum, c.Header)); err != nil {
			return 0, fmt.Errorf("Writing content object: %w", err)
		}
		_, err := t.placeSymlink(name, &c.Header)
		return 0, err
	}
	err := t.writeNew(&c.Header, func(to io.Writer) (object.Name, error) {
		return name, forgive(t.copyContent(to, c))
	})
	return c.Header.Size, err
}

// copyContent copies content, shares its blocks where the file system can, and
// checks what was copied.
func (t *Transaction) copyContent(to io.Writer, c *objstore.Content) error {
	if f, ok := to.(*file); ok && c.Plain() != nil && !t.noClone.Load() {
		if unix.IoctlFileClone(f.fd, int(c.Plain().Fd())) == nil {
			return c.CheckFile(io.NewSectionReader(f, 0, c.Size()+1))
		}
		t.noClone.Store(true)
	}
	block := blocks.Get().(*[small]byte)
	defer blocks.Put(block)
	for {
		n, failed := c.Read(block[:])
		if _, err := to.Write(block[:n]); err != nil {
			return err
		}
		if failed == io.EOF {
			return nil
		}
		if failed != nil {
			return failed
		}
	}
}

// ReadAt makes the file a reader of what was written.
func (f *file) ReadAt(p []byte, off int64) (int, error) {
	n, err := unix.Pread(f.fd, p, off)
	if n < len(p) && err == nil {
		err = io.EOF
	}
	return max(n, 0), err
}

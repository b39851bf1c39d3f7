package transaction

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/object"
)

// CanAdopt reports whether [Transaction.Adopt] can work: for a regular file of this
// device, in a mode that keeps content in files that are nothing else.
func (t *Transaction) CanAdopt(device uint64) bool {
	if mode := t.repo.Mode(); mode != objstore.Bare && mode != objstore.BareUserOnly {
		return false
	}
	var st unix.Stat_t
	return unix.Fstat(int(t.repo.Dir().Fd()), &st) == nil && st.Dev == device
}

// Adopt is [Transaction.WriteContent] for a file that its owner gives away: it gets
// the object's name as another of its own, and nothing is copied. In a bare
// repository the file must have the owner, the mode and the xattrs that h says; in a
// bare-user-only one its mode is set. Where the kernel refuses the name, the file is
// copied. As in ostree, [Stats] do not count what is not.
func (t *Transaction) Adopt(h object.Header, file *os.File) (object.Checksum, error) {
	name, err := copyHashed(&h, io.Discard, file)
	if err != nil {
		return name.Checksum, err
	}
	held, err := t.Has(name)
	if err == nil && !held {
		err = t.adopt(&h, file, name)
	}
	switch err {
	case nil:
		return name.Checksum, t.noteSize(name.Checksum, &h)
	case unix.EXDEV, unix.EPERM, unix.EACCES, unix.EMLINK, unix.EOPNOTSUPP:
		if _, err := file.Seek(0, io.SeekStart); err != nil {
			return name.Checksum, err
		}
		return t.WriteContent(h, file)
	}
	return name.Checksum, fmt.Errorf("writing object %s: %w", name, err)
}

func (t *Transaction) adopt(h *object.Header, given *os.File, name object.Name) error {
	if err := t.admits(h); err != nil {
		return err
	}
	fd := int(given.Fd())
	if t.repo.Mode() == objstore.BareUserOnly {
		if err := unix.Fchmod(fd, h.Mode&^object.ModeType); err != nil {
			return err
		}
	}
	if err := utimes(fd); err != nil {
		return err
	}
	if err := t.bucket(name); err != nil {
		return err
	}
	if t.each {
		if err := unix.Fsync(fd); err != nil {
			return err
		}
	}
	_, path := t.repo.ObjectFile(name)
	source := &file{fd: fd} // with names elsewhere
	if err := source.link(t.objects, path); err != unix.EEXIST {
		return err
	}
	return nil
}

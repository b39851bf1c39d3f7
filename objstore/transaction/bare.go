package transaction

import (
	"fmt"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/object"
)

// userMeta is the xattr in which mode bare-user keeps what a file stands for.
const userMeta = "user.ostreemeta"

// dress gives a finished file what its mode of repository keeps beside content.
func (t *Transaction) dress(f *file, h *object.Header) error {
	perm := h.Mode &^ object.ModeType
	var err error
	switch t.repo.Mode() {
	case objstore.Bare, objstore.BareSplitXattrs:
		err = t.dressBare(f, h)
	case objstore.BareUser:
		perm = perm&0o775 | 0o400
		if h.IsSymlink() {
			perm = 0o644
		}
		err = setXattr(f, userMeta, h.EncodeUserMeta())
	}
	if err != nil {
		return err
	}
	if err := unix.Fchmod(f.fd, perm); err != nil {
		return fmt.Errorf("fchmod: %w", err)
	}
	if err := utimes(f.fd); err != nil {
		return fmt.Errorf("utimensat: %w", err)
	}
	return nil
}

// utimes sets the time of last change to 0.
func utimes(fd int) error {
	return unix.UtimesNanoAt(fd, "", epoch, unix.AT_EMPTY_PATH)
}

// dressBare sets owner and xattrs. A change of owner takes capabilities away, so
// that it comes first; permissions come last for the same reason.
func (t *Transaction) dressBare(f *file, h *object.Header) error {
	given, err := t.fresh()
	if err != nil {
		return err
	}
	if h.UID != given.uid || h.GID != given.gid {
		if err := unix.Fchown(f.fd, int(h.UID), int(h.GID)); err != nil {
			return fmt.Errorf("fchown: %w", err)
		}
	}
	if t.repo.Mode() != objstore.Bare || !t.repo.HasXattrs() {
		return nil
	}
	if err := given.shed(f, h); err != nil {
		return err
	}
	for _, x := range h.Xattrs {
		if err := setXattr(f, x.Name, x.Value); err != nil {
			return err
		}
	}
	return nil
}

func setXattr(f *file, name string, value []byte) error {
	if err := unix.Fsetxattr(f.fd, name, value, 0); err != nil {
		return fmt.Errorf("fsetxattr(%s): %w", name, err)
	}
	return nil
}

// writeSymlink writes a symbolic link.
func (t *Transaction) writeSymlink(h object.Header) (object.Checksum, error) {
	name := sumOf(hasher(&h))
	held, err := t.hasContent(name, &h)
	if held || err != nil {
		return name.Checksum, err
	}
	placed, err := t.placeSymlink(name, &h)
	if placed && err == nil {
		t.wrote(0) // as ostree counts bytes
	}
	return name.Checksum, err
}

// placeSymlink makes a symbolic link the object that is called name.
func (t *Transaction) placeSymlink(name object.Name, h *object.Header) (placed bool, err error) {
	switch t.repo.Mode() {
	case objstore.Archive:
		placed, err = t.writeObject(name, h.EncodeFilez())
	case objstore.BareUser:
		placed, err = t.writeUserLink(name, h)
	default:
		placed, err = true, t.writeRealLink(name, h)
	}
	if err != nil {
		return false, fmt.Errorf("writing object %s: %w", name, err)
	}
	return placed, nil
}

// writeUserLink writes a link as mode bare-user has it: a file that holds the target.
func (t *Transaction) writeUserLink(name object.Name, h *object.Header) (placed bool, err error) {
	f, err := t.newFile()
	if err != nil {
		return false, err
	}
	defer f.close()
	if err := f.write(append([]byte(h.Target), 0)); err != nil {
		return false, err
	}
	if err := t.dress(f, h); err != nil {
		return false, err
	}
	return t.place(f, name)
}

// writeRealLink makes a symbolic link aside, and then gives it its name.
func (t *Transaction) writeRealLink(name object.Name, h *object.Header) error {
	if err := t.bucket(name); err != nil {
		return err
	}
	dir, temp := int(t.stage.dir.Fd()), objstore.TemporaryName()
	if err := unix.Symlinkat(h.Target, dir, temp); err != nil {
		return fmt.Errorf("symlinkat: %w", err)
	}
	err := t.dressLink(temp, h)
	if err == nil {
		_, path := t.repo.ObjectFile(name)
		if t.direct && t.isTorn(path) {
			err = t.swapIn(temp, t.objects, path)
		} else {
			err = unix.Renameat(dir, temp, int(t.objects.Fd()), path)
		}
		if err != nil {
			err = fmt.Errorf("renameat(%s): %w", path, err)
		}
	}
	if err != nil {
		unix.Unlinkat(dir, temp, 0) // what went wrong before is the error
	}
	return err
}

// dressLink gives a link in the staging directory its owner and xattrs.
func (t *Transaction) dressLink(temp string, h *object.Header) error {
	if t.repo.Mode() == objstore.BareUserOnly {
		return nil
	}
	dir := int(t.stage.dir.Fd())
	given, err := t.fresh()
	if err != nil {
		return err
	}
	if h.UID != given.uid || h.GID != given.gid {
		if err := unix.Fchownat(dir, temp, int(h.UID), int(h.GID), unix.AT_SYMLINK_NOFOLLOW); err != nil {
			return fmt.Errorf("fchownat: %w", err)
		}
	}
	if t.repo.Mode() != objstore.Bare || !t.repo.HasXattrs() {
		return nil
	}
	for _, x := range h.Xattrs {
		path := fmt.Sprintf("/proc/self/fd/%d/%s", dir, temp)
		if err := unix.Lsetxattr(path, x.Name, x.Value, 0); err != nil {
			return fmt.Errorf("lsetxattr(%s): %w", x.Name, err)
		}
	}
	return nil
}

package transaction

import (
	"errors"
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

// Identify is the checksum that content has as an object, and whether the repository
// holds that.
func (t *Transaction) Identify(h object.Header, content io.Reader) (sum object.Checksum, held bool, err error) {
	if err := t.admits(&h); err != nil {
		return sum, false, err
	}
	name, err := copyHashed(&h, io.Discard, content)
	if err == nil {
		held, err = t.hasContent(name, &h)
	}
	return name.Checksum, held, err
}

// Last has do called once, when everything is written but commits, and durable where
// it is to be: before the first commit gets its place.
func (t *Transaction) Last(do func() error) { t.last = do }

// runLast calls what is to be called last. What that has written is durable, too.
func (t *Transaction) runLast() error {
	do := t.last
	if t.last = nil; do == nil {
		return nil
	}
	if err := do(); err != nil || !t.copied.Load() {
		return err
	}
	return t.sync()
}

// BeingWritten reports whether somebody has a file open for writing, as far as the
// kernel tells. Until it is closed, nobody opens it so.
func BeingWritten(fd int) bool {
	_, err := unix.FcntlInt(uintptr(fd), unix.F_SETLEASE, unix.F_RDLCK)
	return err == unix.EAGAIN
}

// Adopt makes a file that its owner gives away the object that it was identified as:
// it gets the object's name as another of its own, and nothing is copied. It is for
// what [Transaction.Last] calls. In a bare repository the file must have the owner,
// the mode and the xattrs that h says; in a bare-user-only one its mode is set.
// It is copied when that is asked for or the kernel refuses the name; then the error
// is [ErrChanged] when it is another object by now. As in ostree, [Stats] do not count
// what is not copied.
//
// Unless the transaction is committed, the object is a copy in the end.
func (t *Transaction) Adopt(sum object.Checksum, h *object.Header, file *os.File, asCopy bool) error {
	name := object.Name{Checksum: sum, Kind: object.KindFile}
	held, err := t.hasContent(name, h)
	switch {
	case err != nil || held:
	case asCopy:
		err = t.copyGiven(name, h, file)
	default:
		err = t.adopt(name, h, file)
	}
	if err != nil {
		return fmt.Errorf("writing object %s: %w", name, err)
	}
	return nil
}

func (t *Transaction) adopt(name object.Name, h *object.Header, file *os.File) error {
	fd := int(file.Fd())
	given := adopted{name: name, header: h}
	if err := unix.Fstat(fd, &given.was); err != nil {
		return err
	}
	switch err := t.linkGiven(name, h, fd); err {
	case nil:
		t.mu.Lock()
		defer t.mu.Unlock()
		t.adopted = append(t.adopted, given)
		return nil
	case unix.EEXIST:
		return nil
	case unix.EXDEV, unix.EPERM, unix.EACCES, unix.EMLINK, unix.EOPNOTSUPP:
		return t.copyGiven(name, h, file)
	default:
		return err
	}
}

// linkGiven gives an open file the name of its object.
func (t *Transaction) linkGiven(name object.Name, h *object.Header, fd int) error {
	if t.repo.Mode() == objstore.BareUserOnly {
		if err := unix.Fchmod(fd, h.Mode&^object.ModeType); err != nil {
			return err
		}
	}
	if err := utimes(fd); err != nil {
		return err
	}
	if t.each {
		if err := unix.Fsync(fd); err != nil {
			return err
		}
	}
	objects, path := t.repo.ObjectFile(name)
	source := &file{fd: fd} // with names elsewhere
	err := source.link(objects, path)
	if err == unix.ENOENT {
		if err = makeBucket(objects, path); err == nil {
			err = source.link(objects, path)
		}
	}
	if err == unix.EEXIST && t.isTorn(path) {
		return t.mend(objects, path, source.link)
	}
	return err
}

func (t *Transaction) copyGiven(name object.Name, h *object.Header, file *os.File) error {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	t.copied.Store(true)
	sum, err := t.WriteContent(*h, file)
	if err == nil && sum != name.Checksum {
		err = ErrChanged
	}
	return err
}

// adopted is a file that was given away, as it was before.
type adopted struct {
	name   object.Name
	header *object.Header
	was    unix.Stat_t
}

// disown gives all files back that were adopted in vain. Others may have come to rely
// on their objects, so that these stay, as copies.
func (t *Transaction) disown() error {
	var errs []error
	for _, given := range t.adopted {
		errs = append(errs, t.giveBack(given))
	}
	t.adopted = nil
	return errors.Join(errs...)
}

// giveBack replaces one such object by a copy. One that can't be copied goes.
func (t *Transaction) giveBack(given adopted) error {
	objects, path := t.repo.ObjectFile(given.name)
	fd, err := unix.Openat(int(objects.Fd()), path, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil // it is gone
	}
	from := os.NewFile(uintptr(fd), path)
	defer from.Close()
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil || st.Dev != given.was.Dev || st.Ino != given.was.Ino {
		return nil
	}
	if t.replaceByCopy(given, from, objects, path) != nil {
		if err := unix.Unlinkat(int(objects.Fd()), path, 0); err != nil && err != unix.ENOENT {
			return fmt.Errorf("giving up object %s: %w", given.name, err)
		}
	}
	if t.repo.Mode() == objstore.BareUserOnly {
		err = unix.Fchmod(fd, given.was.Mode&0o7777)
	}
	if st.Mtim == (unix.Timespec{}) {
		err = errors.Join(err, unix.UtimesNanoAt(fd, "", []unix.Timespec{{Nsec: unix.UTIME_OMIT}, given.was.Mtim}, unix.AT_EMPTY_PATH))
	}
	return err
}

func (t *Transaction) replaceByCopy(given adopted, from, objects *os.File, path string) error {
	dir, temp := t.repo.Dir(), "tmp/"+objstore.TemporaryName()
	fd, err := unix.Openat(int(dir.Fd()), temp, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return err
	}
	copied := &file{fd, dir, temp}
	defer copied.close()
	name, err := copyHashed(given.header, copied, from)
	if err == nil && name != given.name {
		err = ErrChanged
	}
	if err == nil {
		err = t.dress(copied, given.header)
	}
	if err == nil && t.durable {
		err = unix.Fsync(fd)
	}
	if err == nil {
		err = unix.Renameat(int(dir.Fd()), temp, int(objects.Fd()), path)
	}
	if err == nil {
		copied.name = ""
	}
	return err
}

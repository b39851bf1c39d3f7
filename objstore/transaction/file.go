package transaction

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/object"
)

// file is an object in the making. It has no name, or one in the staging directory
// where the file system knows no files without.
type file struct {
	fd   int
	dir  *os.File
	name string // "" for none
}

// newFile makes an empty file.
func (t *Transaction) newFile() (*file, error) {
	dir := t.stage.dir
	fd, err := unix.Openat(int(dir.Fd()), ".", unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
	if err == nil {
		return &file{fd, dir, ""}, nil
	}
	if err != unix.EOPNOTSUPP && err != unix.EISDIR && err != unix.ENOENT && err != unix.EINVAL {
		return nil, fmt.Errorf("temporary file: %w", err)
	}
	name := objstore.TemporaryName()
	fd, err = unix.Openat(int(dir.Fd()), name, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("temporary file: %w", err)
	}
	return &file{fd, dir, name}, nil
}

func (f *file) write(data []byte) error {
	for len(data) > 0 {
		n, err := unix.Write(f.fd, data)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return fmt.Errorf("write: %w", err)
		}
		data = data[n:]
	}
	return nil
}

// Write is write for those who copy.
func (f *file) Write(data []byte) (int, error) { return len(data), f.write(data) }

// link gives the file a name below dir: its only one, where it has one already, since
// file systems that know no files without names may know no others either. It fails
// with EEXIST where there is one.
func (f *file) link(dir *os.File, path string) error {
	if f.name != "" {
		err := renameNew(int(f.dir.Fd()), f.name, int(dir.Fd()), path)
		if err == nil {
			f.name = ""
		}
		return err
	}
	err := unix.Linkat(f.fd, "", int(dir.Fd()), path, unix.AT_EMPTY_PATH)
	if err != unix.ENOENT && err != unix.EPERM {
		return err
	}
	// without privileges a descriptor is not enough
	return unix.Linkat(unix.AT_FDCWD, fmt.Sprintf("/proc/self/fd/%d", f.fd), int(dir.Fd()), path, unix.AT_SYMLINK_FOLLOW)
}

// renameNew renames a file to a name that nothing has.
func renameNew(from int, name string, to int, path string) error {
	err := unix.Renameat2(from, name, to, path, unix.RENAME_NOREPLACE)
	if err != unix.EINVAL && err != unix.ENOSYS {
		return err
	}
	// the file system does not know how: who is faster now is replaced, by the same
	if err := unix.Faccessat(to, path, unix.F_OK, unix.AT_SYMLINK_NOFOLLOW); err != unix.ENOENT {
		if err == nil {
			err = unix.EEXIST
		}
		return err
	}
	return unix.Renameat(from, name, to, path)
}

func (f *file) close() {
	unix.Close(f.fd)
	if f.name != "" {
		unix.Unlinkat(int(f.dir.Fd()), f.name, 0)
	}
}

// place gives a finished file the name of its object, unless one is there already,
// which is as good.
func (t *Transaction) place(f *file, name object.Name) (placed bool, err error) {
	if t.each {
		if err := unix.Fsync(f.fd); err != nil {
			return false, fmt.Errorf("fsync: %w", err)
		}
	}
	_, path := t.repo.ObjectFile(name)
	if err := t.bucket(name); err != nil {
		return false, err
	}
	switch err := f.link(t.objects, path); err {
	case nil:
		return true, nil
	case unix.EEXIST:
		if t.direct && t.isTorn(path) {
			return true, t.mend(t.objects, path, f.link)
		}
		return false, nil
	default:
		return false, fmt.Errorf("linkat(%s): %w", path, err)
	}
}

// bucket makes the directory in which an object will be. Where objects go to their
// places at once, it makes durable what a commit needs before the commit is there.
func (t *Transaction) bucket(name object.Name) error {
	if t.direct && name.Kind == object.KindCommit {
		if err := errors.Join(t.runLast(), t.sync()); err != nil {
			return err
		}
	}
	made := &t.made[name.Checksum[0]]
	if made.Load() {
		return nil
	}
	_, path := t.repo.ObjectFile(name)
	err := makeBucket(t.objects, path)
	made.Store(err == nil)
	return err
}

// makeBucket makes the directory of an object's file, below the directory objects.
func makeBucket(objects *os.File, path string) error {
	dir, _, _ := strings.Cut(path, "/")
	if err := unix.Mkdirat(int(objects.Fd()), dir, 0o777); err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("mkdirat(%s): %w", dir, err)
	}
	return nil
}

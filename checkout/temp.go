package checkout

import (
	"crypto/rand"
	"fmt"

	"golang.org/x/sys/unix"
)

// tempTries is how many names are tried before it is given up.
const tempTries = 128

// makeTemp calls create with made-up names until one is free, and returns it.
func makeTemp(create func(name string) error) (string, error) {
	for range tempTries {
		name := ".checkout-" + rand.Text()[:12]
		if err := create(name); err != unix.EEXIST {
			return name, err
		}
	}
	return "", unix.EEXIST
}

// tempFile is a new file that has no name yet, or one that nobody looks for.
type tempFile struct {
	dir  int
	fd   int
	name string // empty when it has none
}

// newTemp makes a file in a directory.
func newTemp(dir int) (*tempFile, error) {
	t := &tempFile{dir: dir}
	var err error
	t.fd, err = unix.Openat(dir, ".", unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
	if err != unix.EOPNOTSUPP && err != unix.EISDIR && err != unix.EINVAL {
		return t, err
	}
	t.name, err = makeTemp(func(name string) (err error) {
		t.fd, err = create(dir, name)
		return err
	})
	return t, err
}

// create makes a file that was not there.
func create(dir int, name string) (int, error) {
	return unix.Openat(dir, name, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
}

// link gives the file a name, which must be free: its only one, where it has one already, since file
// systems that know no files without names may know no others either.
func (t *tempFile) link(dir int, name string) error {
	if t.name != "" {
		err := renameFile(t.dir, t.name, dir, name)
		if err == nil {
			t.name = ""
		}
		return err
	}
	return unix.Linkat(unix.AT_FDCWD, fmt.Sprintf("/proc/self/fd/%d", t.fd), dir, name, unix.AT_SYMLINK_FOLLOW)
}

// renameFile gives a file a name that nothing has.
func renameFile(from int, name string, to int, path string) error {
	err := unix.Renameat2(from, name, to, path, unix.RENAME_NOREPLACE)
	if err != unix.EINVAL && err != unix.ENOSYS {
		return err
	}
	fd, err := create(to, path) // an empty file can be replaced
	if err != nil {
		return err
	}
	unix.Close(fd)
	if err = unix.Renameat(from, name, to, path); err != nil {
		unix.Unlinkat(to, path, 0)
	}
	return err
}

// close closes the file, which is gone unless it was linked.
func (t *tempFile) close() {
	unix.Close(t.fd)
	if t.name != "" {
		unix.Unlinkat(t.dir, t.name, 0)
	}
}

// replaceAt gives what make makes at a temporary name the name that something else may have. A directory
// is never replaced; then the error is unix.EISDIR.
func replaceAt(dir int, name string, make func(temp string) error) error {
	temp, err := makeTemp(make)
	if err != nil {
		return err
	}
	if err := unix.Renameat(dir, temp, dir, name); err != nil {
		unix.Unlinkat(dir, temp, 0)
		return err
	}
	return nil
}

package objstore

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// Replace puts a file of the repository in place at once, whole or not at all: a
// path below dir, which is on the repository's file system. Data is durable before
// the name is, unless core.fsync says that nothing need be.
func (r *Repo) Replace(dir *os.File, path string, data []byte, perm uint32) error {
	durable, err := r.Fsync()
	if err != nil {
		return err
	}
	if err := r.MakeTmp(); err != nil {
		return err
	}
	return replaceIn(r.dir, "tmp/", dir, path, data, perm, durable)
}

// Fsync is the repository's core.fsync: whether what is written is to survive a
// loss of power. [Repo.DisableFsync] has the last word.
func (r *Repo) Fsync() (bool, error) {
	durable, err := r.config.Bool("core", "fsync", true)
	return durable && !r.noFsync.Load(), err
}

// DisableFsync has nothing that is written from now on made durable.
func (r *Repo) DisableFsync() { r.noFsync.Store(true) }

// MakeTmp makes the directory for temporary files, which may have been taken for
// rubbish.
func (r *Repo) MakeTmp() error {
	if err := unix.Mkdirat(int(r.dir.Fd()), "tmp", 0o775); err != nil && err != unix.EEXIST {
		return fmt.Errorf("mkdirat(tmp): %w", describe(err))
	}
	return nil
}

// TemporaryName is a file name that no other process and no other call takes. It is
// random: processes that share a repository may have the same number, each in a
// container of its own.
func TemporaryName() string { return "deployfs-" + rand.Text() }

// replaceIn is Replace with a temporary file whose name is prefix and more, below at.
func replaceIn(at *os.File, prefix string, dir *os.File, path string, data []byte, perm uint32, durable bool) error {
	temp := prefix + TemporaryName()
	if err := writeNew(at, temp, data, perm, durable); err != nil {
		return err
	}
	if err := unix.Renameat(int(at.Fd()), temp, int(dir.Fd()), path); err != nil {
		unix.Unlinkat(int(at.Fd()), temp, 0)
		return fmt.Errorf("renameat(%s): %w", path, describe(err))
	}
	if !durable {
		return nil
	}
	return syncParent(dir, path)
}

// writeNew writes a file that must not be there yet, or leaves none behind.
func writeNew(at *os.File, path string, data []byte, perm uint32, durable bool) error {
	fd, err := unix.Openat(int(at.Fd()), path, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return fmt.Errorf("openat(%s): %w", path, describe(err))
	}
	file := os.NewFile(uintptr(fd), path)
	_, err = file.Write(data)
	if err == nil {
		err = unix.Fchmod(fd, perm)
	}
	if err == nil && durable {
		err = unix.Fdatasync(fd)
	}
	if err = errors.Join(err, file.Close()); err != nil {
		unix.Unlinkat(int(at.Fd()), path, 0)
		return fmt.Errorf("writing %s: %w", path, plain(err))
	}
	return nil
}

// syncParent makes a name below dir durable.
func syncParent(dir *os.File, path string) error {
	parent := "."
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		parent = path[:i]
	}
	f, err := openDir(int(dir.Fd()), parent, parent)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Sync(); err != nil {
		return fmt.Errorf("fsync(%s): %w", parent, plain(err))
	}
	return nil
}

package compile

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
)

// superblockName is what the superblock is called in the repository.
const superblockName = "superblock"

// target is where a delta is written.
type target interface {
	create(name string) (*os.File, error) // makes a file, which nobody sees yet
	finish() error                        // has all files be seen; those made before are gone then
	close() error                         // removes what is not finished
}

// newTarget begins a delta in the repository, or, with a file name, anywhere.
func newTarget(repo *objstore.Repo, d objstore.Delta, filename string) (target, error) {
	if filename != "" {
		return newFileTarget(repo, filename)
	}
	return newRepoTarget(repo, d)
}

// createIn makes a file in a directory.
func createIn(dir *os.File, name string) (*os.File, error) {
	fd, err := unix.Openat(int(dir.Fd()), name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("openat(%s): %w", name, err)
	}
	f := os.NewFile(uintptr(fd), name)
	if err := unix.Fchmod(fd, 0o644); err != nil {
		return nil, errors.Join(fmt.Errorf("fchmod(%s): %w", name, err), f.Close())
	}
	return f, nil
}

// endFile ends a file that createIn made.
func endFile(repo *objstore.Repo, f *os.File) error {
	durable, err := repo.Fsync()
	if err == nil && durable {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

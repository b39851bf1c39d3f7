package objstore

import (
	"errors"
	"fmt"
	"os"
	"path"

	"golang.org/x/sys/unix"
)

// OpenDir opens a directory of the repository. No symbolic link on the way is
// followed.
func (r *Repo) OpenDir(dir string) (*os.File, error) {
	fd, err := openBeneath(int(r.dir.Fd()), dir, unix.OpenHow{
		Flags:   unix.O_RDONLY | unix.O_DIRECTORY | unix.O_CLOEXEC,
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS,
	})
	if err != nil {
		return nil, fmt.Errorf("opendir(%s): %w", dir, describe(err))
	}
	return os.NewFile(uintptr(fd), dir), nil
}

// MakeDirs makes a directory of the repository and those above it, where they are
// not there, durably as core.fsync says.
func (r *Repo) MakeDirs(dir string) error {
	existing, err := r.OpenDir(dir)
	if err == nil {
		return existing.Close()
	}
	if !errors.Is(err, unix.ENOENT) || dir == "." {
		return err
	}
	if err := r.MakeDirs(path.Dir(dir)); err != nil {
		return err
	}
	above, err := r.OpenDir(path.Dir(dir))
	if err != nil {
		return err
	}
	defer above.Close()
	if err := unix.Mkdirat(int(above.Fd()), path.Base(dir), 0o777); err != nil && err != unix.EEXIST {
		return fmt.Errorf("mkdirat(%s): %w", dir, describe(err))
	}
	return r.SyncDir(above)
}

// SyncDir makes what is in a directory durable, unless core.fsync says that
// nothing need be.
func (r *Repo) SyncDir(dir *os.File) error {
	if durable, err := r.Fsync(); err != nil || !durable {
		return err
	}
	if err := dir.Sync(); err != nil {
		return fmt.Errorf("fsync(%s): %w", dir.Name(), plain(err))
	}
	return nil
}

// CheckWritable fails, in ostree's words, where this process can't write objects.
func (r *Repo) CheckWritable() error {
	if err := unix.Faccessat(int(r.objects.Fd()), ".", unix.W_OK, 0); err != nil {
		return fmt.Errorf("Cannot write to repository: %w", describe(err))
	}
	return nil
}

// ReadFile reads a regular file of the repository, of at most limit bytes. One
// with more is a [SizeError]. No symbolic link is followed.
func (r *Repo) ReadFile(file string, limit int64) ([]byte, error) {
	dir, err := r.OpenDir(path.Dir(file))
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	data, err := readFileAt(dir, path.Base(file), limit)
	return data, plain(err)
}

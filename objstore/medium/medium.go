package medium

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
)

// Medium is a directory that holds repositories, mostly one on which a file system is
// mounted.
type Medium struct {
	path   string
	root   *os.File
	device uint64
}

// Open opens a medium.
func Open(path string) (*Medium, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("opendir(%s): %w", path, errnoError(err))
	}
	m := &Medium{path: path, root: os.NewFile(uintptr(fd), path)}
	st, err := stat(m.root)
	if err != nil {
		return nil, errors.Join(err, m.Close())
	}
	m.device = st.Dev
	return m, nil
}

// Close releases the medium's descriptor.
func (m *Medium) Close() error { return m.root.Close() }

// Path is the path that the medium was opened with.
func (m *Medium) Path() string { return m.path }

// ErrOutside is that a path leads out of a medium.
var ErrOutside = errors.New("outside of the medium")

// directory opens a directory for its path alone, and finds where it is.
func (m *Medium) directory(path string) (dir *os.File, at string, err error) {
	fd, err := unix.Openat2(int(m.root.Fd()), path, &unix.OpenHow{
		Flags:   unix.O_PATH | unix.O_DIRECTORY | unix.O_CLOEXEC,
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_MAGICLINKS,
	})
	if err != nil {
		return nil, "", pathError(path, err)
	}
	dir = os.NewFile(uintptr(fd), path)
	st, err := stat(dir)
	if err == nil && st.Dev != m.device {
		err = fmt.Errorf("%s: %w", path, ErrOutside)
	}
	if err == nil {
		at, err = os.Readlink(fmt.Sprintf("/proc/self/fd/%d", dir.Fd()))
	}
	if err != nil {
		return nil, "", errors.Join(err, dir.Close())
	}
	return dir, at, nil
}

func pathError(path string, err error) error {
	if err == unix.EXDEV {
		return fmt.Errorf("%s: %w", path, ErrOutside)
	}
	return fmt.Errorf("opendir(%s): %w", path, errnoError(err))
}

// Repo opens a repository by its path from the medium's root on.
func (m *Medium) Repo(path string) (*objstore.Repo, error) {
	dir, at, err := m.directory(path)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	repo, err := objstore.Open(at)
	return m.confined(repo, dir, err)
}

// confined is the repository that a directory is, unless something of it is elsewhere.
func (m *Medium) confined(repo *objstore.Repo, dir *os.File, err error) (*objstore.Repo, error) {
	if err != nil {
		return nil, err
	}
	if err := m.confine(repo, dir); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", repo.Path(), err), repo.Close())
	}
	return repo, nil
}

// parts are the directories of which a repository consists.
var parts = []string{"objects", "refs", "tmp", "state", "extensions", "deltas", "delta-indexes"}

func (m *Medium) confine(repo *objstore.Repo, dir *os.File) error {
	if same, err := sameFile(repo.Dir(), dir); err != nil || !same {
		return errors.Join(err, errors.New("another repository has taken its place"))
	}
	if repo.Parent() != nil {
		return errors.New("a repository on a medium may have no parent")
	}
	for _, part := range parts {
		var st unix.Stat_t
		err := unix.Fstatat(int(repo.Dir().Fd()), part, &st, unix.AT_SYMLINK_NOFOLLOW)
		switch {
		case err == unix.ENOENT:
		case err != nil:
			return fmt.Errorf("fstatat(%s): %w", part, errnoError(err))
		case st.Mode&unix.S_IFMT != unix.S_IFDIR || st.Dev != m.device:
			return fmt.Errorf("%s leads out of it", part)
		}
	}
	return noLinks(repo)
}

// noLinks fails where a symbolic link stands for one of the directories of objects.
func noLinks(repo *objstore.Repo) error {
	objects, err := repo.OpenDir("objects")
	if err != nil {
		return err
	}
	defer objects.Close()
	entries, err := objects.ReadDir(-1)
	for _, e := range entries {
		if e.Type()&fs.ModeSymlink != 0 {
			return fmt.Errorf("objects/%s leads out of it", e.Name())
		}
	}
	return err
}

func stat(f *os.File) (st unix.Stat_t, err error) {
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return st, fmt.Errorf("fstat(%s): %w", f.Name(), errnoError(err))
	}
	return st, nil
}

func sameFile(a, b *os.File) (bool, error) {
	one, err := stat(a)
	if err != nil {
		return false, err
	}
	other, err := stat(b)
	return one.Dev == other.Dev && one.Ino == other.Ino, err
}

// errnoError gives an errno the words of the C library.
func errnoError(err error) error {
	if errno := unix.Errno(0); errors.As(err, &errno) {
		return objstore.ErrnoError(errno)
	}
	return err
}

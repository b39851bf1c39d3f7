package medium

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
)

// Create makes an archive repository, which every file system can hold, or opens the one
// that is there.
func (m *Medium) Create(dest string) (*objstore.Repo, error) {
	if !filepath.IsLocal(dest) {
		return nil, fmt.Errorf("%s: %w", dest, ErrOutside)
	}
	dest = path.Clean(dest)
	made, err := m.makeDirs(dest)
	if errors.Is(err, unix.ENOTDIR) {
		return nil, fmt.Errorf("Creating repo: fstatat(%s/objects): %w", dest, objstore.ErrnoError(unix.ENOTDIR))
	}
	if err != nil {
		return nil, err
	}
	defer made.Close()
	dir, at, err := m.directory(dest)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	repo, err := objstore.Create(at, objstore.Setup{Mode: objstore.Archive})
	return m.confined(repo, dir, err)
}

// makeDirs makes a directory and those above it, where they are not there, and opens it for
// its path alone.
func (m *Medium) makeDirs(dir string) (*os.File, error) {
	made, _, err := m.directory(dir)
	if dir == "." || !errors.Is(err, fs.ErrNotExist) {
		return made, err
	}
	above, err := m.makeDirs(path.Dir(dir))
	if err != nil {
		return nil, err
	}
	defer above.Close()
	if err := unix.Mkdirat(int(above.Fd()), path.Base(dir), 0o755); err != nil && err != unix.EEXIST {
		return nil, fmt.Errorf("mkdirat(%s): %w", dir, errnoError(err))
	}
	made, _, err = m.directory(dir)
	return made, err
}

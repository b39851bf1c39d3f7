package objstore

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Setup is what a new repository is made like.
type Setup struct {
	Mode       Mode
	Collection string // its collection id, or ""
}

// layout are a repository's directories, but for objects, in the order in which they are made.
var layout = []string{"tmp", "tmp/cache", "extensions", "state", "refs", "refs/heads", "refs/mirrors", "refs/remotes"}

// Create makes a repository at path, whose parent directory exists, and opens it.
// One that is there already stays as it is.
func Create(path string, s Setup) (*Repo, error) {
	if err := unix.Access(path+"/objects", unix.F_OK); err != nil && err != unix.ENOENT {
		return nil, fmt.Errorf("Creating repo: fstatat(%s/objects): %w", path, describe(err))
	}
	if err := unix.Mkdir(path, 0o775); err != nil && err != unix.EEXIST {
		return nil, fmt.Errorf("Creating repo: mkdirat: %w", describe(err))
	}
	dir, err := openDir(unix.AT_FDCWD, path, path)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	if unix.Faccessat(int(dir.Fd()), "objects", unix.F_OK, 0) != nil {
		if err := s.fill(dir); err != nil {
			return nil, fmt.Errorf("making repo %s: %w", path, err)
		}
		if err := syncDir(filepath.Dir(filepath.Clean(path))); err != nil {
			return nil, fmt.Errorf("making repo %s: %w", path, err)
		}
	}
	return Open(path)
}

// fill makes what a repository consists of, durably. A config that is there stays.
// The directory objects, which makes it a repository, comes last.
func (s Setup) fill(dir *os.File) error {
	if unix.Faccessat(int(dir.Fd()), "config", unix.F_OK, 0) != nil {
		if err := replaceIn(dir, "", dir, "config", s.config(), 0o644, true); err != nil {
			return err
		}
	}
	for _, name := range layout {
		if err := makeDir(dir, name); err != nil {
			return err
		}
	}
	for _, changed := range []string{"refs/heads", "tmp/cache", "refs"} {
		if err := syncParent(dir, changed); err != nil {
			return err
		}
	}
	if err := makeDir(dir, "objects"); err != nil {
		return err
	}
	return dir.Sync()
}

// syncDir makes the names in a directory durable; one that may not be read is left
// to the kernel.
func syncDir(path string) error {
	dir, err := openDir(unix.AT_FDCWD, path, path)
	if errors.Is(err, unix.EACCES) {
		return nil
	}
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

func makeDir(at *os.File, name string) error {
	if err := unix.Mkdirat(int(at.Fd()), name, 0o775); err != nil && err != unix.EEXIST {
		return fmt.Errorf("mkdirat(%s): %w", name, describe(err))
	}
	return nil
}

func (s Setup) config() []byte {
	text := "[core]\nrepo_version=1\nmode=" + s.Mode.String() + "\n"
	if s.Collection != "" {
		text += "collection-id=" + s.Collection + "\n"
	}
	return []byte(text)
}

// WriteConfig replaces the repository's config, whole or not at all, unless the
// repository could not be opened with it. What data says counts from then on for
// [Repo.Config], not for what was read at Open: it is not for concurrent use.
func (r *Repo) WriteConfig(data []byte) error {
	config, err := ParseKeyFile(data)
	if err != nil {
		return fmt.Errorf("config: %w", err)
	}
	probe := &Repo{path: r.path, config: config}
	err = probe.configure(maxParents)
	probe.Close()
	if err != nil {
		return err
	}
	if err := r.Rewrite("config", data); err != nil {
		return err
	}
	r.config = config
	return nil
}

// Rewrite replaces a file of the repository itself by data, whole or not at all. Who may read and
// write it stays as it was; a new file is for all to read.
func (r *Repo) Rewrite(name string, data []byte) error {
	var st unix.Stat_t
	if unix.Fstatat(int(r.dir.Fd()), name, &st, unix.AT_SYMLINK_NOFOLLOW) != nil {
		st.Mode = 0o644
	}
	return r.Replace(r.dir, name, data, st.Mode&0o777)
}

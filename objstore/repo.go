package objstore

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

const (
	maxConfig  = 1 << 20 // bytes of a repository's config
	maxParents = 16      // repositories in a chain of core.parent
)

// ErrOpen is what every error of Open begins with, in ostree's words.
var ErrOpen = errors.New("opening repo")

// Repo is an opened repository. Its methods may be called at the same time.
type Repo struct {
	path    string
	mode    Mode
	config  *KeyFile
	parent  *Repo
	dir     *os.File // the repository
	objects *os.File // its objects directory

	absent   Absent      // nil unless what is missing can be brought
	noXattrs bool        // core.disable-xattrs
	noFsync  atomic.Bool // whatever core.fsync says
}

// Open opens the repository at path. Its errors are [ErrOpen].
func Open(path string) (*Repo, error) { return open(path, maxParents) }

func open(path string, depth int) (*Repo, error) {
	r := &Repo{path: path}
	if err := r.load(depth); err != nil {
		r.Close()
		return nil, fmt.Errorf("%w: %w", ErrOpen, err)
	}
	return r, nil
}

func (r *Repo) load(depth int) (err error) {
	if r.dir, err = openDir(unix.AT_FDCWD, r.path, r.path); err != nil {
		return err
	}
	if r.objects, err = openDir(int(r.dir.Fd()), "objects", "objects"); err != nil {
		return err
	}
	data, err := readFileAt(r.dir, "config", maxConfig)
	if err != nil {
		return fmt.Errorf("openat(config): %w", plain(err))
	}
	if r.config, err = ParseKeyFile(data); err != nil {
		return fmt.Errorf("Couldn't parse config file: %w", err)
	}
	return r.configure(depth)
}

func openDir(at int, path, shown string) (*os.File, error) {
	fd, err := unix.Openat(at, path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("opendir(%s): %w", printable(shown), describe(err))
	}
	return os.NewFile(uintptr(fd), shown), nil
}

func (r *Repo) configure(depth int) (err error) {
	version, ok := r.config.Get("core", "repo_version")
	switch {
	case !r.config.HasGroup("core"):
		return errors.New("Key file does not have group “core”")
	case !ok:
		return errors.New("Key file does not have key “repo_version” in group “core”")
	case version != "1":
		return fmt.Errorf("Invalid repository version '%s'", printable(version))
	}
	if name, ok := r.config.Get("core", "mode"); ok {
		if r.mode, err = ParseMode(name); err != nil {
			return err
		}
	}
	if r.noXattrs, err = r.config.Bool("core", "disable-xattrs", false); err != nil {
		return err
	}
	return r.openParent(depth)
}

func (r *Repo) openParent(depth int) (err error) {
	path, ok := r.config.Get("core", "parent")
	if !ok || path == "" {
		return nil
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(r.path, path)
	}
	if len(path) >= unix.PathMax {
		return fmt.Errorf("parent repository: a path of %d bytes", len(path))
	}
	if depth == 0 {
		return fmt.Errorf("parent repository '%s': more than %d in a chain", printable(path), maxParents)
	}
	if r.parent, err = open(path, depth-1); err != nil {
		return fmt.Errorf("While checking parent repository '%s': %w", printable(path), err)
	}
	return nil
}

// Close releases the repository's descriptors, and its parents'.
func (r *Repo) Close() error {
	var errs []error
	for _, f := range []*os.File{r.dir, r.objects} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	if r.parent != nil {
		errs = append(errs, r.parent.Close())
	}
	return errors.Join(errs...)
}

// Path is the path that the repository was opened with.
func (r *Repo) Path() string { return r.path }

// Mode is how the repository stores content.
func (r *Repo) Mode() Mode { return r.mode }

// Config is the repository's own configuration.
func (r *Repo) Config() *KeyFile { return r.config }

// HasXattrs reports whether the repository keeps extended attributes of files.
func (r *Repo) HasXattrs() bool { return r.mode != BareUserOnly && !(r.noXattrs && r.mode == Bare) }

// Parent is the repository that is searched for what is missing here, or nil.
func (r *Repo) Parent() *Repo { return r.parent }

package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
)

// lockTime is how long the repository's lock is waited for.
const lockTime = time.Second

// sampleFile opens a file that lies where the files do that would be passed
// through; with none to be had, this program.
func (m *machine) sampleFile() (file *os.File, name string) {
	if repo, err := objstore.Open(m.Repo); err == nil {
		defer repo.Close()
		if f, err := os.Open(filepath.Join(m.Repo, "config")); err == nil && repo.Mode() != objstore.Archive {
			return f, "a file of the repository"
		}
	}
	dir, _ := existing(m.CacheDir)
	if fd, err := unix.Open(dir, unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o600); err == nil {
		return os.NewFile(uintptr(fd), dir), "a file in " + dir
	}
	f, _ := os.Open("/proc/self/exe")
	return f, "this program's file"
}

// existing is dir, or what there is of the directories above.
func existing(dir string) (string, error) {
	for {
		info, err := os.Stat(dir)
		if err == nil && info.IsDir() {
			return dir, nil
		}
		if up := filepath.Dir(dir); up != dir {
			dir = up
			continue
		}
		return dir, err
	}
}

// cache tells whether derived data has a place, and room.
func (m *machine) cache(context.Context) Finding {
	dir, err := existing(m.CacheDir)
	if err == nil {
		err = unix.Faccessat(unix.AT_FDCWD, dir, unix.W_OK|unix.X_OK, unix.AT_EACCESS)
	}
	var st unix.Statfs_t
	if err == nil {
		err = unix.Statfs(dir, &st)
	}
	if err != nil {
		return no(fmt.Sprintf("%s: %v", dir, err), "archive content that is inflated once, and remembered verification", "name a directory with --cache-dir=DIR")
	}
	free := int64(st.Bavail) * st.Bsize
	evidence := fmt.Sprintf("%s can be written; %d MiB are free", m.CacheDir, free>>20)
	if free < m.Room {
		return partly(evidence, fmt.Sprintf("room for %d MiB", m.Room>>20), "a smaller --cache-size, or another --cache-dir")
	}
	return yes(evidence)
}

// repository tells whether it can be read.
func (m *machine) repository(context.Context) Finding {
	if m.Repo == "" {
		return Finding{}
	}
	repo, err := objstore.Open(m.Repo)
	if err != nil {
		return no(err.Error(), "a repository", "name an OSTree repository with --repo=PATH")
	}
	defer repo.Close()
	refs, err := repo.Refs()
	if err != nil {
		return partly(err.Error(), "its refs", "run as the repository's owner, or as root")
	}
	if err := unix.Access(filepath.Join(m.Repo, "objects"), unix.R_OK|unix.X_OK); err != nil {
		return no(fmt.Sprintf("%s/objects: %v", m.Repo, err), "its objects", "run as the repository's owner, or as root")
	}
	return yes(fmt.Sprintf("%s, mode %s, %d refs", m.Repo, repo.Mode(), len(refs)))
}

// lock tells whether prune would wait for a mount. It makes no lock file.
func (m *machine) lock(ctx context.Context) Finding {
	const remedy = "run as the repository's owner, or as root; a mount works without it"
	repo, err := objstore.Open(m.Repo)
	if m.Repo == "" || err != nil {
		return Finding{}
	}
	defer repo.Close()
	if _, err := os.Lstat(filepath.Join(m.Repo, ".lock")); errors.Is(err, os.ErrNotExist) {
		if err := unix.Faccessat(unix.AT_FDCWD, m.Repo, unix.W_OK|unix.X_OK, unix.AT_EACCESS); err != nil {
			return partly(fmt.Sprintf("%s: %v", m.Repo, err), "a lock, for which prune waits", remedy)
		}
		return yes("the repository can be written; it has no lock file yet")
	}
	ctx, cancel := context.WithTimeout(ctx, lockTime)
	defer cancel()
	lock, err := repo.LockShared(ctx)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return no("somebody else holds it", "the lock", "wait until that has ended, or use --no-lock")
	case err != nil:
		return no(err.Error(), "the lock", remedy)
	case lock == nil:
		return partly("the repository can't be written, or says core.locking=false", "a lock, for which prune waits", remedy)
	}
	if err := lock.Close(); err != nil {
		return no(err.Error(), "the lock", remedy)
	}
	return yes("it was taken and given back")
}

// index tells where an index would be.
func (m *machine) index(context.Context) Finding {
	var st unix.Stat_t
	if m.Repo == "" || unix.Stat(m.Repo, &st) != nil {
		return Finding{}
	}
	writable := func(dir string) bool {
		return unix.Faccessat(unix.AT_FDCWD, dir, unix.W_OK|unix.X_OK, unix.AT_EACCESS) == nil
	}
	if int(st.Uid) == os.Geteuid() && writable(m.Repo) {
		return yes("in " + filepath.Join(m.Repo, "deployfs/index"))
	}
	if dir, err := existing(m.CacheDir); err == nil && writable(dir) {
		return yes("in " + m.CacheDir + ", as the repository is not this user's")
	}
	return no("neither the repository nor the cache directory is this user's to write", "an index: first looks cost more", "name a directory with --cache-dir=DIR")
}

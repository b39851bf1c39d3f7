package checkout

import (
	"fmt"
	"path"
	"sync"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
)

// cacheName is the directory of an archive repository that keeps what was inflated, as ostree does.
const cacheName = "uncompressed-objects-cache"

// caches are the open caches of a repository and its parents.
type caches struct {
	mu   sync.Mutex
	open map[*objstore.Repo]int // descriptors, -1 for one that is not there
}

func (c *caches) close() {
	for _, fd := range c.open {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
}

// at is a repository's cache, or -1 when it has none and none is to be made.
func (c *caches) at(repo *objstore.Repo, make bool) (fd int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fd, known := c.open[repo]
	if known && (fd >= 0 || !make) {
		return fd, nil
	}
	dir := int(repo.Dir().Fd())
	if make {
		if err := unix.Mkdirat(dir, cacheName, 0o775); err != nil && err != unix.EEXIST {
			return -1, failed("mkdirat", err)
		}
	}
	fd, err = unix.Openat(dir, cacheName, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil && err != unix.ENOENT {
		return -1, failed("opendir("+cacheName+")", err)
	}
	if c.open == nil {
		c.open = map[*objstore.Repo]int{}
	}
	c.open[repo] = fd
	return fd, nil
}

// keepsInflated reports whether a repository keeps what is inflated. As with ostree, one that can't be
// written, or that says core.enable-uncompressed-cache=false, does not.
func keepsInflated(repo *objstore.Repo) bool {
	enabled, err := repo.Config().Bool("core", "enable-uncompressed-cache", true)
	return repo.Mode() == objstore.Archive && enabled && err == nil &&
		unix.Faccessat(int(repo.Dir().Fd()), "objects", unix.W_OK, unix.AT_EACCESS) == nil
}

// cachedPath is where a cache keeps an object.
func cachedPath(t target) string {
	digits := t.sum.String()
	return digits[:2] + "/" + digits[2:] + ".file"
}

// linkCached makes t a link to what a repository's cache has.
func (w *worker) linkCached(repo *objstore.Repo, t target) (done bool, err error) {
	fd, err := w.cache.at(repo, false)
	if fd < 0 || err != nil {
		return false, err
	}
	var st unix.Stat_t
	err = unix.Fstatat(fd, cachedPath(t), &st, unix.AT_SYMLINK_NOFOLLOW)
	if err != nil || st.Mode != cachedMode(t) || uint64(st.Size) != t.Size {
		return false, nil
	}
	return w.linkTo(fd, cachedPath(t), t)
}

// cachedMode is the mode of a file in the cache.
func cachedMode(t target) uint32 { return t.Mode &^ (unix.S_ISUID | unix.S_ISGID) }

// linkUnpacked inflates t into the repository's cache and makes it a link to that.
func (w *worker) linkUnpacked(t target) (done bool, err error) {
	fd, err := w.cache.at(w.repo, true)
	if err == nil {
		err = w.unpack(fd, t)
	}
	if err != nil && !isObjectError(err) {
		err = fmt.Errorf("Unpacking loose object %s: %w", t.sum, err)
	}
	if err != nil {
		return false, err
	}
	if done, err = w.linkTo(fd, cachedPath(t), t); err != nil {
		err = fmt.Errorf("Using new cached uncompressed hardlink of %s to %s: %w", t.sum, t.name, err)
	}
	return done, err
}

// unpack puts an object into a cache, in the place of one that is not what it should be.
func (w *worker) unpack(cache int, t target) error {
	c, err := w.repo.Content(t.sum)
	if err != nil {
		return err
	}
	defer c.Close()
	name := cachedPath(t)
	if err := unix.Mkdirat(cache, path.Dir(name), 0o777); err != nil && err != unix.EEXIST {
		return failed("mkdirat", err)
	}
	temp, err := newTemp(cache)
	if err != nil {
		return failed("openat", err)
	}
	defer temp.close()
	if err := w.fill(temp.fd, c); err != nil {
		return err
	}
	if err := unix.Fchmod(temp.fd, cachedMode(t)&0o7777); err != nil {
		return failed("fchmod", err)
	}
	if err := w.syncCached(temp.fd); err != nil {
		return err
	}
	return w.nameCached(cache, name, t, temp)
}

// nameCached gives an inflated object its name.
func (w *worker) nameCached(cache int, name string, t target, temp *tempFile) error {
	err := temp.link(cache, name)
	if err == unix.EEXIST {
		var st unix.Stat_t
		err = unix.Fstatat(cache, name, &st, unix.AT_SYMLINK_NOFOLLOW)
		if err != nil || st.Mode == cachedMode(t) && uint64(st.Size) == t.Size {
			return err // somebody else was faster
		}
		err = replaceAt(cache, name, func(name string) error { return temp.link(cache, name) })
	}
	if err != nil {
		return failed("linkat", err)
	}
	return nil
}

// syncCached writes an inflated object to disk, as ostree does, unless the repository says core.fsync=false:
// who links it later has no way to see that it is not all there.
func (w *worker) syncCached(fd int) error {
	if sync, err := w.repo.Config().Bool("core", "fsync", true); err != nil || !sync {
		return err
	}
	if err := unix.Fdatasync(fd); err != nil {
		return failed("fsync", err)
	}
	return nil
}

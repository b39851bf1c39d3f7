package lazy

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/object"
	"deployfs/objstore/words"
)

// Cache is what was fetched, of any server: an archive repository in a directory of the
// user's own. Its methods may be called at the same time.
type Cache struct {
	dir   string
	limit int64
	repo  *objstore.Repo
	usage *words.File
	locks *os.File // see fetching

	mu       sync.Mutex
	evicting bool
	evictor  sync.WaitGroup
}

// OpenCache opens the cache in dir, of at most about limit bytes, which it makes where
// there is none.
func OpenCache(dir string, limit int64) (c *Cache, err error) {
	if dir == "" {
		return nil, errors.New("there is no directory for what is fetched")
	}
	c = &Cache{dir: dir, limit: limit}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("cache: %w", err)
	}
	var st unix.Stat_t
	if err := unix.Lstat(dir, &st); err != nil || !words.Private(&st, unix.S_IFDIR) {
		return nil, fmt.Errorf("cache %s: not a directory of this user's alone", dir)
	}
	if c.repo, err = objstore.Open(dir); err != nil {
		c.repo, err = objstore.Create(dir, objstore.Setup{Mode: objstore.Archive})
	}
	if err != nil {
		return nil, fmt.Errorf("cache: %w", err)
	}
	if err := c.open(); err != nil {
		c.Close()
		return nil, fmt.Errorf("cache: %w", err)
	}
	return c, nil
}

func (c *Cache) open() (err error) {
	c.repo.DisableFsync() // what is damaged is fetched again
	for _, dir := range []string{saidDir, "summaries"} {
		if err := os.Mkdir(c.path(dir), 0o700); err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
	}
	if c.locks, err = os.OpenFile(c.path("fetching"), os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600); err != nil {
		return err
	}
	c.usage, _, err = words.Map(c.path("usage"), 1+usageAges)
	return err
}

func (c *Cache) path(names ...string) string {
	return filepath.Join(append([]string{c.dir}, names...)...)
}

// Close ends the work on the cache and closes its repository.
func (c *Cache) Close() error {
	c.evictor.Wait()
	if c.usage != nil {
		c.usage.Close()
	}
	if c.locks != nil {
		c.locks.Close()
	}
	return c.repo.Close()
}

// file is where an object lies.
func (c *Cache) file(name object.Name) string {
	_, path := c.repo.ObjectFile(name)
	return c.path("objects", path)
}

// holds reports whether the cache itself has an object.
func (c *Cache) holds(name object.Name) bool {
	objects, path := c.repo.ObjectFile(name)
	var st unix.Stat_t
	return unix.Fstatat(int(objects.Fd()), path, &st, unix.AT_SYMLINK_NOFOLLOW) == nil
}

// create makes a file that gets its name by place, or is removed.
func (c *Cache) create() (*os.File, error) {
	if err := c.repo.MakeTmp(); err != nil {
		return nil, err
	}
	return os.OpenFile(c.path("tmp", objstore.TemporaryName()), os.O_RDWR|os.O_CREATE|os.O_EXCL|unix.O_NOFOLLOW, 0o600)
}

// place gives a file that was written its name, in the place of what has it.
func (c *Cache) place(file *os.File, path string, sum object.Checksum) error {
	var old unix.Stat_t
	replaced := unix.Lstat(path, &old) == nil
	st, err := file.Stat()
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if errors.Is(err, os.ErrNotExist) {
		if err = os.MkdirAll(filepath.Dir(path), 0o700); err == nil {
			err = os.Rename(file.Name(), path)
		}
	}
	if err != nil {
		return err
	}
	if replaced {
		c.count(-cost(old.Size))
	}
	c.use(sum)
	c.count(cost(st.Size()))
	return nil
}

// write puts bytes at a path at once.
func (c *Cache) write(path string, sum object.Checksum, data []byte) error {
	file, err := c.create()
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err = file.Write(data); err == nil {
		err = c.place(file, path, sum)
	}
	if err != nil {
		os.Remove(file.Name())
	}
	return err
}

// remove takes a file away.
func (c *Cache) remove(path string) {
	var st unix.Stat_t
	if unix.Lstat(path, &st) == nil && unix.Unlink(path) == nil {
		c.count(-cost(st.Size))
	}
}

// Repo is the repository of what was fetched. It is closed with the cache.
func (c *Cache) Repo() *objstore.Repo { return c.repo }

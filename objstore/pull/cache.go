package pull

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/fetch"
	"deployfs/objstore/refs"
	"deployfs/objstore/summary"
)

// summaryCache is where the summary of a remote is kept with its signature, as ostree keeps
// them: what the server said of their state is the time of last change, and an xattr.
type summaryCache struct {
	path string // without the suffix of a signature; "" is that nothing is kept
	sync bool
}

// etagName is the xattr of the ETag.
const etagName = "user.etag"

// open finds the place: below a directory, or where the repository keeps such things.
func (c *summaryCache) open(repo *objstore.Repo, dir, remote string) (err error) {
	if !refs.IsFragment(remote) {
		return nil
	}
	if dir == "" {
		dir = filepath.Join(repo.Path(), "tmp/cache")
	}
	c.path = filepath.Join(dir, "summaries", remote)
	c.sync, err = repo.Fsync()
	return err
}

// kept is a file that was kept.
type kept struct {
	data  []byte // nil is that there is none
	state fetch.Validators
}

// read reads the summary, or its signature. What can't be read is as good as absent.
func (c *summaryCache) read(suffix string) (k kept) {
	if c.path == "" {
		return k
	}
	fd, err := unix.Open(c.path+suffix, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return k
	}
	file := os.NewFile(uintptr(fd), c.path+suffix)
	defer file.Close()
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() > summary.MaxSize {
		return k
	}
	data := make([]byte, info.Size())
	if n, err := file.ReadAt(data, 0); n < len(data) || err != nil {
		return k
	}
	etag := make([]byte, 1<<10)
	n, err := unix.Fgetxattr(fd, etagName, etag)
	text := string(etag[:max(n, 0)])
	if err != nil || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		text = ""
	}
	return kept{data, fetch.Validators{ETag: text, LastModified: info.ModTime().Truncate(time.Second)}}
}

// save keeps a summary and its signature. Where that is not allowed, nothing is kept.
func (c *summaryCache) save(data, signature kept) error {
	if c.path == "" {
		return nil
	}
	err := os.MkdirAll(filepath.Dir(c.path), 0o775)
	if err == nil {
		err = c.write("", data)
	}
	if err == nil {
		err = c.write(".sig", signature)
	}
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, unix.EROFS) {
		return nil
	}
	return err
}

func (c *summaryCache) write(suffix string, k kept) error {
	temp := filepath.Join(filepath.Dir(c.path), objstore.TemporaryName())
	file, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	defer os.Remove(temp)
	_, err = file.Write(k.data)
	if err == nil && c.sync {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	keepState(temp, k.state)
	return os.Rename(temp, c.path+suffix)
}

// keepState keeps with a file what the server said of its state, as far as that can be.
func keepState(path string, v fetch.Validators) {
	if v.ETag != "" {
		_ = unix.Setxattr(path, etagName, []byte(v.ETag), 0) // the file system may know no xattrs
	}
	if !v.LastModified.IsZero() {
		_ = os.Chtimes(path, time.Time{}, v.LastModified)
	}
}

// older is a warning of a summary that is older than the one that was kept.
func (c *summaryCache) older(before, now listed) error {
	if before.parsed == nil || now.parsed == nil {
		return nil
	}
	last, known := before.parsed.LastModified()
	current, ok := now.parsed.LastModified()
	if !known || !ok || current >= last {
		return nil
	}
	return fmt.Errorf("the summary is of %s, older than the one that came before, of %s", stamp(current), stamp(last))
}

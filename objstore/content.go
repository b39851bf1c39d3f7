package objstore

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"sync"

	"deployfs/objstore/object"
)

// Content is an open content object and a reader over its content. Reading to
// the end checks the content against the object's name: then Read fails with an
// [object.CorruptError] instead of io.EOF. It is for one goroutine.
type Content struct {
	Header object.Header

	name    object.Name
	src     io.Reader // the content, and perhaps more
	plain   *os.File  // the object file, when it holds the content as it is
	close   func() error
	trusted bool

	head     int64     // bytes of an archived object's header
	deflated *inflater // what follows them

	hash   hash.Hash // nil before the first Read, and when the content is trusted
	read   uint64
	result error // what every Read after the end returns
}

// Content opens a content object, here or in a parent repository. An absent one
// is an [object.NotExistError].
func (r *Repo) Content(sum object.Checksum) (*Content, error) {
	if r.absent != nil {
		return r.absent.Content(sum, func() (*Content, error) { return r.content(sum) })
	}
	return r.content(sum)
}

func (r *Repo) content(sum object.Checksum) (*Content, error) {
	name := object.Name{Checksum: sum, Kind: object.KindFile}
	var found *Content
	err := r.find(name, func(repo *Repo, path string) (err error) {
		found, err = repo.openContent(path)
		return err
	})
	if err != nil {
		return nil, err
	}
	found.name = name
	return found, nil
}

// Stat is a content object's header, which need not hold the xattrs.
func (r *Repo) Stat(sum object.Checksum) (object.Header, error) {
	if r.absent != nil {
		return r.absent.Header(sum, func() (object.Header, error) { return r.header(sum) })
	}
	return r.stat(sum)
}

func (r *Repo) stat(sum object.Checksum) (h object.Header, err error) {
	err = r.find(object.Name{Checksum: sum, Kind: object.KindFile}, func(repo *Repo, path string) error {
		h, err = repo.statContent(path)
		return err
	})
	return h, err
}

// Header is a content object's whole header.
func (r *Repo) Header(sum object.Checksum) (object.Header, error) {
	if r.absent != nil {
		return r.absent.Header(sum, func() (object.Header, error) { return r.header(sum) })
	}
	return r.header(sum)
}

func (r *Repo) header(sum object.Checksum) (h object.Header, err error) {
	err = r.find(object.Name{Checksum: sum, Kind: object.KindFile}, func(repo *Repo, path string) error {
		h, err = repo.wholeHeader(path)
		return err
	})
	return h, err
}

// find calls visit for this repository, then for its parents, until it finds
// the content object.
func (r *Repo) find(name object.Name, visit func(repo *Repo, path string) error) error {
	for repo := r; repo != nil; repo = repo.parent {
		err := visit(repo, repo.loosePath(name))
		var damage *damageError
		switch {
		case err == nil:
			return nil
		case errors.As(err, &damage):
			return object.Corrupt(name, damage.err)
		case !errors.Is(err, fs.ErrNotExist):
			return readError(name, err)
		}
	}
	return &object.NotExistError{Object: name}
}

// damageError marks an error as the object's fault.
type damageError struct{ err error }

func (e *damageError) Error() string { return e.err.Error() }

func damaged(format string, args ...any) error { return &damageError{fmt.Errorf(format, args...)} }

func (r *Repo) openContent(path string) (*Content, error) {
	switch r.mode {
	case Archive:
		return openArchive(r.objects, path)
	case BareUser:
		return openBareUser(r.objects, path)
	}
	return r.openBare(path)
}

func (r *Repo) statContent(path string) (object.Header, error) {
	switch r.mode {
	case Archive:
		return r.wholeHeader(path)
	case BareUser:
		return r.statBareUser(path)
	}
	return r.statBare(path)
}

func (r *Repo) wholeHeader(path string) (object.Header, error) {
	if r.mode != Archive && r.mode != BareUser {
		return r.bareWholeHeader(path)
	}
	c, err := r.openContent(path)
	if err != nil {
		return object.Header{}, err
	}
	return c.Header, c.Close()
}

// Trust stops the check: Read then ends with io.EOF whatever it read, as long
// as the size is right.
func (c *Content) Trust() { c.trusted, c.hash = true, nil }

// Plain is the file that holds the content as it is, or nil. It is owned by c
// until [Content.Release].
func (c *Content) Plain() *os.File { return c.plain }

// Release hands over the plain file: Close no longer closes it.
func (c *Content) Release() *os.File {
	c.close = func() error { return nil }
	return c.plain
}

// Describe is the header, as the repository says it: it is checked with the content.
func (c *Content) Describe() object.Header { return c.Header }

// Size is how many bytes Read will give, in all, or fail.
func (c *Content) Size() int64 { return int64(c.Header.Size) }

// verifyBuffers hold what is read only to be checked. They are large, so that
// the kernel reads ahead while a buffer is hashed, whatever the disk's setting.
var verifyBuffers = sync.Pool{New: func() any { return new([512 << 10]byte) }}

// Verify reads what is left of the content and checks it.
func (c *Content) Verify() error {
	buf := verifyBuffers.Get().(*[512 << 10]byte)
	defer verifyBuffers.Put(buf)
	for {
		if _, err := c.Read(buf[:]); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// CheckFile checks what r reads as Verify checks the content itself: a copy that
// was made of it. It reads nothing of c.
func (c *Content) CheckFile(r io.Reader) error {
	copied := &Content{Header: c.Header, name: c.name, src: r}
	return copied.Verify()
}

// Read reads content, and at its end checks it.
func (c *Content) Read(p []byte) (int, error) {
	if c.result != nil {
		return 0, c.result
	}
	if c.hash == nil && !c.trusted {
		c.hash = sha256.New()
		c.hash.Write(c.Header.Hashed())
	}
	n, err := c.src.Read(p)
	c.read += uint64(n)
	if c.hash != nil {
		c.hash.Write(p[:n])
	}
	if c.read > c.Header.Size {
		err = object.Corrupt(c.name, fmt.Errorf("content is longer than the %d bytes that its header says", c.Header.Size))
		n = 0
	} else if err == io.EOF {
		err = c.finish()
	} else if err != nil {
		err = readFailure(c.name, err)
	}
	c.result = err
	return n, err
}

// readFailure sorts errors in the middle of content: the inflater's are damage.
func readFailure(name object.Name, err error) error {
	var damage *damageError
	if errors.As(err, &damage) {
		return object.Corrupt(name, damage.err)
	}
	return &ReadError{name, plain(err)}
}

func (c *Content) finish() error {
	if c.read != c.Header.Size {
		return object.Corrupt(c.name, fmt.Errorf("Unexpected EOF with %d/%d bytes remaining", c.Header.Size-c.read, c.Header.Size))
	}
	if c.hash == nil {
		return io.EOF
	}
	if found := object.Checksum(c.hash.Sum(nil)); found != c.name.Checksum {
		return object.Mismatch(c.name, found)
	}
	return io.EOF
}

// Close releases the object file.
func (c *Content) Close() error { return c.close() }

// CheckEmpty fails unless h is the header of the object sum, which has no
// content: a symbolic link or an empty file.
func CheckEmpty(sum object.Checksum, h object.Header) error {
	if found := object.Checksum(sha256.Sum256(h.Hashed())); found != sum {
		return object.Mismatch(object.Name{Checksum: sum, Kind: object.KindFile}, found)
	}
	return nil
}

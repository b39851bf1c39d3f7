package backing

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"deployfs/objstore/object"
)

var errWrong = errors.New("not what its name says")

// depot is where the tests' objects come from. What it holds may be changed.
type depot struct {
	t     testing.TB
	dir   string
	plain bool // objects are files that hold the content as it is

	mu     sync.Mutex
	opened int             // contents opened so far
	open   int             // contents not yet closed
	before func(n int)     // called by the n-th opening
	wrong  map[string]bool // contents that do not verify
	forged bool            // headers say what does not verify
	claim  int64           // bytes that contents promise beyond what they have
	slow   time.Duration   // what verifying takes
	read   int             // contents read to the end
	copies int             // copies checked
}

// stored makes a Store over a new depot.
func stored(t testing.TB, plain bool, limits Limits) (*Store, *depot) {
	t.Helper()
	d := depotOf(t, plain)
	return d.store(nil, limits), d
}

func depotOf(t testing.TB, plain bool) *depot {
	t.Helper()
	return &depot{t: t, dir: t.TempDir(), plain: plain, wrong: map[string]bool{}}
}

// store makes another Store over the same depot and cache.
func (d *depot) store(record *Record, limits Limits) *Store {
	s := NewStore(d.Open, NewInflated(d.cacheDir(), 1<<20), record, limits)
	d.t.Cleanup(s.Close)
	return s
}

func (d *depot) cacheDir() string { return filepath.Join(d.dir, "cache") }

// sum is the checksum number n.
func sum(n int) object.Checksum { return sha256.Sum256([]byte{byte(n), byte(n >> 8)}) }

// put stores content as object n.
func (d *depot) put(n int, content string) {
	d.t.Helper()
	if err := os.WriteFile(d.path(sum(n)), []byte(content), 0o644); err != nil {
		d.t.Fatal(err)
	}
}

func (d *depot) path(sum object.Checksum) string { return filepath.Join(d.dir, sum.String()) }

// Open opens an object.
func (d *depot) Open(sum object.Checksum) (Content, error) {
	d.mu.Lock()
	d.opened++
	before, n := d.before, d.opened
	d.mu.Unlock()
	if before != nil {
		before(n)
	}
	f, err := os.Open(d.path(sum))
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	d.open++
	d.mu.Unlock()
	return &content{depot: d, file: f, forged: d.forged}, nil
}

// content is an open object of a depot.
type content struct {
	depot    *depot
	file     *os.File
	all      bytes.Buffer
	forged   bool
	trusted  bool
	released bool
}

func (c *content) Read(p []byte) (int, error) {
	n, err := c.file.Read(p)
	c.all.Write(p[:n])
	c.depot.mu.Lock()
	defer c.depot.mu.Unlock()
	if err != io.EOF {
		return n, err
	}
	c.depot.read++
	if c.depot.claim != 0 {
		return n, io.ErrUnexpectedEOF
	}
	if !c.trusted && (c.forged || c.depot.wrong[c.all.String()]) {
		return n, errWrong
	}
	return n, err
}

func (c *content) CheckFile(r io.Reader) error {
	copied, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	own, err := os.ReadFile(c.file.Name())
	c.depot.mu.Lock()
	defer c.depot.mu.Unlock()
	c.depot.copies++
	if err == nil && (c.forged || !bytes.Equal(own, copied) || c.depot.wrong[string(own)]) {
		err = errWrong
	}
	return err
}

// The headers that objects of a depot have, and may claim to have.
const rightMode, forgedMode = object.ModeRegular | 0o644, object.ModeRegular | 0o4755

func (c *content) Describe() object.Header {
	h := object.Header{Mode: rightMode, Size: uint64(c.Size())}
	if c.forged {
		h.Mode = forgedMode
	}
	return h
}

func (c *content) Size() int64 {
	info, err := c.file.Stat()
	if err != nil {
		c.depot.t.Error(err)
		return 0
	}
	return info.Size() + c.depot.claim
}

func (c *content) Verify() error {
	time.Sleep(c.depot.slow)
	_, err := io.Copy(io.Discard, c)
	return err
}

func (c *content) Plain() *os.File {
	if c.depot.plain {
		return c.file
	}
	return nil
}

func (c *content) Release() *os.File { c.released = true; return c.Plain() }

func (c *content) Trust() { c.trusted = true }

func (c *content) Close() error {
	c.depot.mu.Lock()
	defer c.depot.mu.Unlock()
	c.depot.open--
	if c.released {
		return nil
	}
	return c.file.Close()
}

// acquire takes object n, which must be there.
func acquire(t testing.TB, s *Store, n int, check bool) *File {
	t.Helper()
	f, err := s.Acquire(sum(n), check)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// wantContent reads a file, which must not be closed, from its begin.
func wantContent(t testing.TB, f *File, want string) {
	t.Helper()
	buf := make([]byte, len(want)+10)
	n, err := f.ReadContent(buf, 0)
	if err != io.EOF || string(buf[:n]) != want {
		t.Errorf("read %q, %v, want %q", buf[:n], err, want)
	}
}

// isClosed reports whether a file was closed.
func isClosed(f *File) bool { return f.fd == -1 }

// wantUsed fails unless the Store holds this much, beside the shared cache.
func wantUsed(t testing.TB, s *Store, files int, bytes int64) {
	t.Helper()
	if f, b := s.Used(); f != files || b-s.inflated.used() != bytes {
		t.Errorf("%d files and %d bytes are held, want %d and %d", f, b, files, bytes)
	}
}

// bothKinds runs a test over plain and over inflated objects.
func bothKinds(t *testing.T, test func(t *testing.T, plain bool)) {
	for _, plain := range []bool{true, false} {
		name := "inflated"
		if plain {
			name = "plain"
		}
		t.Run(name, func(t *testing.T) { test(t, plain) })
	}
}

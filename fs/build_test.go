package fs

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"deployfs/fs/backing"
	"deployfs/objstore"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
)

// memory is a source of objects that holds them in memory, content apart: that
// is a file for each object. What it holds may be changed.
type memory struct {
	t     testing.TB
	dir   string
	plain bool // content is handed out as the file that it is

	mu      sync.Mutex
	meta    map[object.Name][]byte
	headers map[object.Checksum]object.Header

	reads, stats, opens atomic.Int32 // how often metadata, headers, content were asked for
}

var _ Source = (*memory)(nil)

func newMemory(t testing.TB) *memory {
	return &memory{
		t: t, dir: t.TempDir(), plain: true,
		meta: map[object.Name][]byte{}, headers: map[object.Checksum]object.Header{},
	}
}

func (m *memory) ReadMetadata(name object.Name, limit int64) ([]byte, error) {
	m.reads.Add(1)
	m.mu.Lock()
	defer m.mu.Unlock()
	data, ok := m.meta[name]
	if !ok {
		return nil, &object.NotExistError{Object: name}
	}
	if int64(len(data)) > limit {
		return nil, &objstore.SizeError{Size: int64(len(data)), Limit: limit}
	}
	return data, nil
}

func (m *memory) Stat(sum object.Checksum) (object.Header, error) {
	h, err := m.Header(sum)
	h.Xattrs = nil
	return h, err
}

func (m *memory) Header(sum object.Checksum) (object.Header, error) {
	m.stats.Add(1)
	m.mu.Lock()
	defer m.mu.Unlock()
	h, ok := m.headers[sum]
	if !ok {
		return h, &object.NotExistError{Object: object.Name{Checksum: sum, Kind: object.KindFile}}
	}
	return h, nil
}

func (m *memory) Statfs() (st unix.Statfs_t, err error) {
	return unix.Statfs_t{Blocks: 1000, Bfree: 600, Bavail: 500, Files: 90, Ffree: 80, Bsize: 4096, Frsize: 4096}, nil
}

// path is where an object's content is.
func (m *memory) path(sum object.Checksum) string { return filepath.Join(m.dir, sum.String()) }

// content is an open object of a memory.
type content struct {
	memory  *memory
	file    *os.File
	name    object.Name
	header  object.Header
	hash    bytes.Buffer // the header, then what was read
	plain   bool
	trusted bool
	kept    bool
}

// Open opens an object's content.
func (m *memory) Open(sum object.Checksum) (backing.Content, error) {
	m.opens.Add(1)
	h, err := m.Header(sum)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(m.path(sum))
	if err != nil {
		return nil, err
	}
	c := &content{memory: m, file: f, name: object.Name{Checksum: sum, Kind: object.KindFile}, header: h, plain: m.plain}
	c.hash.Write(h.Hashed())
	return c, nil
}

func (c *content) Read(p []byte) (int, error) {
	n, err := c.file.Read(p)
	c.hash.Write(p[:n])
	if found := object.Checksum(sha256.Sum256(c.hash.Bytes())); err == io.EOF && !c.trusted && found != c.name.Checksum {
		err = object.Mismatch(c.name, found)
	}
	return n, err
}

func (c *content) CheckFile(r io.Reader) error {
	h, err := c.memory.Header(c.name.Checksum)
	if err != nil {
		return err
	}
	data, err := io.ReadAll(r)
	if err == nil && object.Checksum(sha256.Sum256(append(h.Hashed(), data...))) != c.name.Checksum {
		err = object.Corrupt(c.name, errors.New("the copy is another"))
	}
	return err
}

func (c *content) Describe() object.Header { return c.header }

func (c *content) Size() int64 { return int64(c.header.Size) }

func (c *content) Verify() error {
	_, err := io.Copy(io.Discard, c)
	return err
}

func (c *content) Plain() *os.File {
	if c.plain {
		return c.file
	}
	return nil
}

func (c *content) Release() *os.File { c.kept = true; return c.file }

func (c *content) Trust() { c.trusted = true }

func (c *content) Close() error {
	if c.kept {
		return nil
	}
	return c.file.Close()
}

// put stores metadata under its name, or under another.
func (m *memory) put(kind object.Kind, data []byte) object.Checksum {
	sum := object.Checksum(sha256.Sum256(data))
	m.set(object.Name{Checksum: sum, Kind: kind}, data)
	return sum
}

func (m *memory) set(name object.Name, data []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.meta[name] = data
}

// remove takes an object away.
func (m *memory) remove(name object.Name) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.meta, name)
	delete(m.headers, name.Checksum)
}

// object stores a content object.
func (m *memory) object(h object.Header, content string) object.Checksum {
	m.t.Helper()
	h.Size = uint64(len(content))
	sum := object.Checksum(sha256.Sum256(append(h.Hashed(), content...)))
	m.write(sum, content)
	m.setHeader(sum, h)
	return sum
}

func (m *memory) setHeader(sum object.Checksum, h object.Header) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.headers[sum] = h
}

// write replaces an object's content, and nothing else of it.
func (m *memory) write(sum object.Checksum, content string) {
	m.t.Helper()
	if err := os.WriteFile(m.path(sum), []byte(content), 0o644); err != nil {
		m.t.Fatal(err)
	}
}

func (m *memory) file(content string) object.Checksum {
	m.t.Helper()
	return m.object(object.Header{Mode: object.ModeRegular | 0o644}, content)
}

func (m *memory) link(target string) object.Checksum {
	m.t.Helper()
	return m.object(object.Header{Mode: object.ModeSymlink | 0o777, Target: target}, "")
}

// directory is a directory's objects.
type directory struct{ tree, meta object.Checksum }

var plainMeta = object.DirMeta{Mode: object.ModeDir | 0o755}

// entries are a directory's entries by name: checksums of files, and directories.
type entries map[string]any

// tree stores a directory.
func (m *memory) tree(list entries) directory { return m.treeWith(plainMeta, list) }

func (m *memory) treeWith(meta object.DirMeta, list entries) directory {
	var files, dirs []gvariant.Value
	bytesOf := func(sum object.Checksum) gvariant.Value { return gvariant.NewBytes(sum[:]) }
	for _, name := range slices.Sorted(maps.Keys(list)) {
		switch e := list[name].(type) {
		case object.Checksum:
			files = append(files, gvariant.NewTuple(gvariant.NewString(name), bytesOf(e)))
		case directory:
			dirs = append(dirs, gvariant.NewTuple(gvariant.NewString(name), bytesOf(e.tree), bytesOf(e.meta)))
		}
	}
	tree := gvariant.NewTuple(gvariant.NewArray("(say)", files...), gvariant.NewArray("(sayay)", dirs...))
	return directory{m.put(object.KindDirTree, tree.Bytes()), m.put(object.KindDirMeta, meta.Encode())}
}

// view is an FS that is asked as the kernel would, and what it reported.
type view struct {
	*FS
	t  testing.TB
	mu sync.Mutex

	reports []string // paths
	errs    []error
}

// show makes the view of a directory, until the test ends.
func (m *memory) show(root directory, opts Options) *view {
	return m.showWithin(root, opts, backing.Limits{Files: 100, Bytes: 1 << 20})
}

func (m *memory) showWithin(root directory, opts Options, limits backing.Limits) *view {
	m.t.Helper()
	v := &view{t: m.t}
	opts.Report = func(path string, err error) {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.reports, v.errs = append(v.reports, path), append(v.errs, err)
	}
	var err error
	inflated := backing.NewInflated(filepath.Join(m.dir, "cache"), limits.Bytes)
	if v.FS, err = New(m, backing.NewStore(m.Open, inflated, nil, limits), root.tree, root.meta, opts); err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(v.Close)
	return v
}

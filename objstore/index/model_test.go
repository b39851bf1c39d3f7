package index

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
)

// folderModel is a directory as an index should tell it.
type folderModel struct {
	meta    object.DirMeta
	files   map[string]object.Header
	folders map[string]*folderModel
}

// newFolder makes a directory of files and of directories, by name.
func newFolder(entries map[string]any) *folderModel {
	m := &folderModel{
		meta:  object.DirMeta{Mode: object.ModeDir | 0o755},
		files: map[string]object.Header{}, folders: map[string]*folderModel{},
	}
	for name, e := range entries {
		switch e := e.(type) {
		case object.Header:
			m.files[name] = e
		case *folderModel:
			m.folders[name] = e
		}
	}
	return m
}

// regular is a file of zeroes, symlink a link.
func regular(mode uint32, size uint64, xattrs ...object.Xattr) object.Header {
	return object.Header{Mode: object.ModeRegular | mode, Size: size, Xattrs: xattrs}
}

func symlink(target string) object.Header {
	return object.Header{Mode: object.ModeSymlink | 0o777, Target: target}
}

// fileSum is the checksum of a model's file.
func fileSum(h object.Header) object.Checksum {
	return object.Checksum(sha256.Sum256(append(h.Hashed(), make([]byte, h.Size)...)))
}

// memory is a source of objects that counts what it is asked for.
type memory struct {
	meta    map[object.Name][]byte
	headers map[object.Checksum]object.Header
	sums    map[*folderModel]Root // a directory that occurs twice is stored once

	mu    sync.Mutex
	asked map[object.Name]int
}

func newMemory() *memory {
	return &memory{
		meta: map[object.Name][]byte{}, headers: map[object.Checksum]object.Header{},
		sums: map[*folderModel]Root{}, asked: map[object.Name]int{},
	}
}

func (m *memory) ask(kind object.Kind, sum object.Checksum) object.Name {
	name := object.Name{Checksum: sum, Kind: kind}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked[name]++
	return name
}

func (m *memory) metadata(kind object.Kind, sum object.Checksum) ([]byte, error) {
	name := m.ask(kind, sum)
	data, ok := m.meta[name]
	if !ok {
		return nil, &object.NotExistError{Object: name}
	}
	if found := object.Checksum(sha256.Sum256(data)); found != sum {
		return nil, object.Mismatch(name, found)
	}
	return data, nil
}

func (m *memory) DirTree(sum object.Checksum) (object.DirTree, error) {
	data, err := m.metadata(object.KindDirTree, sum)
	if err != nil {
		return object.DirTree{}, err
	}
	return object.DecodeDirTree(data)
}

func (m *memory) DirMeta(sum object.Checksum) (object.DirMeta, error) {
	data, err := m.metadata(object.KindDirMeta, sum)
	if err != nil {
		return object.DirMeta{}, err
	}
	return object.DecodeDirMeta(data)
}

func (m *memory) Header(sum object.Checksum) (object.Header, error) {
	name := m.ask(object.KindFile, sum)
	h, ok := m.headers[sum]
	if !ok {
		return h, &object.NotExistError{Object: name}
	}
	return h, nil
}

func (m *memory) put(kind object.Kind, data []byte) object.Checksum {
	sum := object.Checksum(sha256.Sum256(data))
	m.meta[object.Name{Checksum: sum, Kind: kind}] = data
	return sum
}

// add stores a directory and all below it.
func (m *memory) add(f *folderModel) Root {
	if root, ok := m.sums[f]; ok {
		return root
	}
	var files, folders []gvariant.Value
	ay := func(sum object.Checksum) gvariant.Value { return gvariant.NewBytes(sum[:]) }
	for _, name := range slices.Sorted(maps.Keys(f.files)) {
		h := f.files[name]
		sum := fileSum(h)
		m.headers[sum] = h
		files = append(files, gvariant.NewTuple(gvariant.NewString(name), ay(sum)))
	}
	for _, name := range slices.Sorted(maps.Keys(f.folders)) {
		sub := m.add(f.folders[name])
		folders = append(folders, gvariant.NewTuple(gvariant.NewString(name), ay(sub.Tree), ay(sub.Meta)))
	}
	tree := gvariant.NewTuple(gvariant.NewArray("(say)", files...), gvariant.NewArray("(sayay)", folders...))
	m.sums[f] = Root{m.put(object.KindDirTree, tree.Bytes()), m.put(object.KindDirMeta, f.meta.Encode())}
	return m.sums[f]
}

// built builds and parses the index of a directory.
func (m *memory) built(t testing.TB, f *folderModel) *Index {
	t.Helper()
	x, err := Parse(m.data(t, f))
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func (m *memory) data(t testing.TB, f *folderModel) []byte {
	t.Helper()
	data, err := Build(context.Background(), m, m.add(f), 7)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// check compares an index with the model that it was built from. Gaps are paths
// of entries that it must not know; what is below them is not looked at.
func (m *memory) check(t testing.TB, x *Index, f *folderModel, gaps ...string) {
	t.Helper()
	c := &checker{t: t, m: m, x: x, gaps: gaps, seen: map[Dir]bool{}}
	if x.Root() != m.sums[f] {
		t.Errorf("root %v, want %v", x.Root(), m.sums[f])
	}
	c.attributes("/", x.RootAttributes(), f.meta.UID, f.meta.GID, f.meta.Mode, f.meta.Xattrs)
	c.folder("", x.RootDir(), f)
	for _, path := range gaps {
		if !slices.Contains(c.met, path) {
			t.Errorf("%s is no gap", path)
		}
	}
}

type checker struct {
	t    testing.TB
	m    *memory
	x    *Index
	gaps []string
	met  []string // gaps that were found
	seen map[Dir]bool
}

func (c *checker) attributes(path string, got Attributes, uid, gid, mode uint32, xattrs []object.Xattr) {
	c.t.Helper()
	if got.UID != uid || got.GID != gid || got.Mode != mode {
		c.t.Errorf("%q: %d:%d %o, want %d:%d %o", path, got.UID, got.GID, got.Mode, uid, gid, mode)
	}
	if list := c.x.Xattrs(got.Xattrs); fmt.Sprintf("%q", list) != fmt.Sprintf("%q", xattrs) {
		c.t.Errorf("%q: xattrs %.200q, want %.200q", path, list, xattrs)
	}
	if (got.Xattrs == 0) != (len(xattrs) == 0) {
		c.t.Errorf("%q: %d xattrs in set %d", path, len(xattrs), got.Xattrs)
	}
}

// folder checks a directory, and those below it that were not checked before.
func (c *checker) folder(path string, d Dir, f *folderModel) {
	c.t.Helper()
	if c.seen[d] && len(c.gaps) == 0 {
		return
	}
	c.seen[d] = true
	first, files, folders := c.x.Entries(d)
	if files != len(f.files) || folders != len(f.folders) {
		c.t.Fatalf("%q: %d files and %d folders, want %d and %d", path, files, folders, len(f.files), len(f.folders))
	}
	names := append(slices.Sorted(maps.Keys(f.files)), slices.Sorted(maps.Keys(f.folders))...)
	for pos, name := range names {
		r := first + Row(pos)
		if got := string(c.x.Name(r)); got != name {
			c.t.Fatalf("%q: entry %d is %q, want %q", path, pos, got, name)
		}
		if found, ok := c.x.Find(d, []byte(name)); !ok || found != pos {
			c.t.Errorf("%q: %q is found at %d, %v, want %d", path, name, found, ok, pos)
		}
		c.entry(path+"/"+name, r, f, name)
	}
	for _, absent := range absentNames(names) {
		if pos, ok := c.x.Find(d, []byte(absent)); ok {
			c.t.Errorf("%q: %q is found at %d", path, absent, pos)
		}
	}
}

// absentNames are not in names, and near to some that are.
func absentNames(names []string) (absent []string) {
	candidates := []string{"", "\x00", "\xff\xff", "/"}
	for _, name := range names[:min(len(names), 20)] {
		candidates = append(candidates, name+"\x00", name[:len(name)-1], name+"/")
	}
	for _, name := range candidates {
		if !slices.Contains(names, name) {
			absent = append(absent, name)
		}
	}
	return absent
}

func (c *checker) entry(path string, r Row, f *folderModel, name string) {
	c.t.Helper()
	sub, isFolder := f.folders[name]
	if isFolder != (c.m.sums[sub] != Root{}) {
		c.t.Fatalf("%q is not in the source", path)
	}
	want := c.m.sums[sub].Tree
	if !isFolder {
		want = fileSum(f.files[name])
	}
	if got := c.x.Sum(r); got != want {
		c.t.Errorf("%q: object %s, want %s", path, got, want)
	}
	gap := slices.Contains(c.gaps, path)
	if c.x.Known(r) == gap {
		c.t.Errorf("%q: known is %v", path, c.x.Known(r))
	}
	switch {
	case gap:
		c.met = append(c.met, path)
	case isFolder:
		c.attributes(path, c.x.Attributes(r), sub.meta.UID, sub.meta.GID, sub.meta.Mode, sub.meta.Xattrs)
		if got := c.x.Meta(r); got != c.m.sums[sub].Meta {
			c.t.Errorf("%q: dirmeta %s, want %s", path, got, c.m.sums[sub].Meta)
		}
		c.folder(path, c.x.Subdir(r), sub)
	default:
		h := f.files[name]
		c.attributes(path, c.x.Attributes(r), h.UID, h.GID, h.Mode, h.Xattrs)
		if h.IsSymlink() {
			if got := string(c.x.Target(r)); got != h.Target {
				c.t.Errorf("%q: target %.100q, want %.100q", path, got, h.Target)
			}
		} else if got := c.x.FileSize(r); got != h.Size {
			c.t.Errorf("%q: %d bytes, want %d", path, got, h.Size)
		}
	}
}

// longest is the longest name.
var longest = strings.Repeat("n", 255)

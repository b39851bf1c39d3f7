package mtree

import (
	"crypto/sha256"
	"errors"
	"io/fs"
	"sync"
	"testing"

	"deployfs/objstore/object"
)

// store keeps metadata in memory.
type store struct {
	mu      sync.Mutex
	objects map[object.Checksum][]byte
	read    int
	written int
}

func newStore() *store { return &store{objects: map[object.Checksum][]byte{}} }

func (s *store) WriteMetadata(_ object.Kind, data []byte) (object.Checksum, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.written++
	sum := object.Checksum(sha256.Sum256(data))
	s.objects[sum] = data
	return sum, nil
}

func (s *store) DirTree(sum object.Checksum) (d object.DirTree, err error) {
	s.read++
	data, ok := s.objects[sum]
	if !ok {
		return d, fs.ErrNotExist
	}
	return object.DecodeDirTree(data)
}

func sum(b byte) object.Checksum { return object.Checksum{31: b} }

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// sample is /file, /a/x, /a/deep/y and /b/z.
func sample(t *testing.T, s *store) object.Checksum {
	t.Helper()
	root := New()
	root.SetMeta(sum(1))
	for path, file := range map[string]string{"a": "x", "b": "z"} {
		sub := must[*Tree](t)(root.EnsureDir(path))
		sub.SetMeta(sum(2))
		if err := sub.SetFile(file, sum(3)); err != nil {
			t.Fatal(err)
		}
	}
	a, _, _, _ := root.Lookup("a")
	deep := must[*Tree](t)(a.EnsureDir("deep"))
	deep.SetMeta(sum(2))
	if err := errors.Join(deep.SetFile("y", sum(4)), root.SetFile("file", sum(5))); err != nil {
		t.Fatal(err)
	}
	return must[object.Checksum](t)(root.Write(s))
}

func TestWriteAgainCostsWhatChanged(t *testing.T) {
	s := newStore()
	dirtree := sample(t, s)
	s.written, s.read = 0, 0
	root := Load(s, dirtree, sum(1))
	if got := must[object.Checksum](t)(root.Write(s)); got != dirtree || s.read+s.written != 0 {
		t.Errorf("an unchanged tree: %s, %d read, %d written", got, s.read, s.written)
	}
	b, _, found, err := root.Lookup("b")
	if !found || err != nil {
		t.Fatal(found, err)
	}
	if got := must[object.Checksum](t)(root.Write(s)); got != dirtree || s.written != 0 {
		t.Errorf("a tree that was looked into: %s, %d written", got, s.written)
	}
	if err := b.SetFile("new", sum(9)); err != nil {
		t.Fatal(err)
	}
	changed := must[object.Checksum](t)(root.Write(s))
	if changed == dirtree || s.written != 2 || s.read != 2 {
		t.Errorf("a changed tree: %d written, %d read, want 2 and 2", s.written, s.read)
	}
}

func TestRefusals(t *testing.T) {
	s := newStore()
	root := Load(s, sample(t, s), sum(1))
	for _, c := range []struct {
		name string
		err  error
		want string
	}{
		{"file over directory", root.SetFile("a", sum(1)), "Can't replace directory with file: a"},
		{"directory over file", second(root.EnsureDir("file")), "Can't replace file with directory: file"},
		{"no name", root.SetFile("", sum(1)), "empty filename"},
		{"uplink", second(root.EnsureDir("..")), "Invalid path uplink filename '..'"},
		{"slash", root.SetFile("a/b", sum(1)), `Invalid / in filename a/b`},
		{"UTF-8", root.SetFile("\xff", sum(1)), "Invalid UTF-8 in filename \xff"},
		{"no dirmeta", second(New().Write(s)), "Can't commit an empty tree"},
		{"absent", second(Load(newStore(), sum(1), sum(1)).EnsureDir("x")), fs.ErrNotExist.Error()},
	} {
		if c.err == nil || c.err.Error() != c.want {
			t.Errorf("%s: %v, want %s", c.name, c.err, c.want)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestOverlay(t *testing.T) {
	s := newStore()
	lower := sample(t, s)
	upper := New()
	upper.SetMeta(sum(8))
	a := must[*Tree](t)(upper.EnsureDir("a"))
	a.SetMeta(sum(7))
	if err := a.SetFile("x", sum(9)); err != nil {
		t.Fatal(err)
	}
	over := must[object.Checksum](t)(upper.Write(s))

	empty := New()
	s.read = 0
	if _, err := empty.Overlay(s, lower, sum(1)); err != nil || s.read != 0 {
		t.Errorf("over nothing: %v, %d read", err, s.read)
	}
	if n, err := empty.Overlay(s, over, sum(8)); err != nil || n != 1 {
		t.Fatalf("%d files are merged: %v", n, err)
	}
	merged, _, _, _ := empty.Lookup("a")
	_, x, _, _ := merged.Lookup("x")
	deep, _, found, _ := merged.Lookup("deep")
	if x != sum(9) || !found || deep == nil || merged.Meta() != sum(7) || empty.Meta() != sum(8) {
		t.Errorf("merged: x %s, deep %t, dirmeta %s", x, found, merged.Meta())
	}
	if _, _, found, _ := empty.Lookup("b"); !found {
		t.Error("what only the lower one has is lost")
	}
}

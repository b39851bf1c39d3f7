package object

import (
	"bytes"
	"math/bits"
	"testing"

	"deployfs/objstore/gvariant"
)

// The seeds of these targets, in testdata/fuzz, were taken from repositories
// that the real ostree wrote. The property is the same for all: what a decoder
// accepts has one serialisation, which is the bytes that it was given.

// encodeCommit serialises a commit again. The related objects, which decoding
// ignores, are taken from data.
func encodeCommit(t testing.TB, c Commit, data []byte) []byte {
	t.Helper()
	v, err := gvariant.Parse(CommitType, data)
	if err != nil {
		t.Fatal(err)
	}
	var parent []byte
	if !c.Parent.IsZero() {
		parent = c.Parent[:]
	}
	return gvariant.NewTuple(c.Metadata, gvariant.NewBytes(parent), v.At(2), str(c.Subject), str(c.Body),
		gvariant.NewUint64(bits.ReverseBytes64(c.Timestamp)), gvariant.NewBytes(c.Root[:]),
		gvariant.NewBytes(c.RootMeta[:])).Bytes()
}

func encodeDirTree(d DirTree) []byte {
	var files, dirs list
	for i := range d.NumFiles() {
		name, sum := d.File(i)
		files = append(files, file(string(name), string(sum[:])))
	}
	for i := range d.NumDirs() {
		name, tree, meta := d.Dir(i)
		dirs = append(dirs, dir(string(name), string(tree[:]), string(meta[:])))
	}
	return dirtree(files, dirs)
}

// checkFinds fails unless each name is found where it stands, and only there.
func checkFinds(t testing.TB, d DirTree) {
	t.Helper()
	for i := range d.NumFiles() {
		name, _ := d.File(i)
		at, found := d.FindFile(name)
		_, both := d.FindDir(name)
		if !found || at != i || both {
			t.Fatalf("file %d, %q, is found at %d, %v; as a directory: %v", i, name, at, found, both)
		}
	}
	for i := range d.NumDirs() {
		name, _, _ := d.Dir(i)
		at, found := d.FindDir(name)
		_, both := d.FindFile(name)
		if !found || at != i || both {
			t.Fatalf("directory %d, %q, is found at %d, %v; as a file: %v", i, name, at, found, both)
		}
	}
}

// checkAscending fails unless names are ascending, and good on their own.
func checkAscending(t testing.TB, n int, name func(int) []byte) {
	t.Helper()
	for i := range n {
		if err := CheckName(name(i)); err != nil {
			t.Fatal(err)
		}
		if i > 0 && bytes.Compare(name(i-1), name(i)) >= 0 {
			t.Fatalf("%q stands before %q", name(i-1), name(i))
		}
	}
}

func FuzzDecodeCommit(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := DecodeCommit(data)
		if err != nil {
			return
		}
		if got := encodeCommit(t, c, data); !bytes.Equal(got, data) {
			t.Fatalf("%x became %x", data, got)
		}
		if c.Root.IsZero() || c.RootMeta.IsZero() {
			t.Fatal("a root of no object")
		}
		for i := range c.Metadata.Len() {
			if _, ok := c.Metadata.Lookup(c.Metadata.At(i).At(0).Str()); !ok {
				t.Fatalf("metadata key %d is not found", i)
			}
		}
		if sizes, err := c.Sizes(); err == nil {
			for _, s := range sizes {
				if s.Object.Kind < KindFile || s.Object.Kind > KindDirMeta {
					t.Fatalf("size of %v", s.Object)
				}
			}
		}
	})
}

func FuzzDecodeDirTree(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := DecodeDirTree(data)
		if err != nil {
			return
		}
		if got := encodeDirTree(d); !bytes.Equal(got, data) {
			t.Fatalf("%x became %x", data, got)
		}
		checkFinds(t, d)
		checkAscending(t, d.NumFiles(), func(i int) []byte { name, _ := d.File(i); return name })
		checkAscending(t, d.NumDirs(), func(i int) []byte { name, _, _ := d.Dir(i); return name })
	})
}

func FuzzDecodeDirMeta(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := DecodeDirMeta(data)
		if err != nil {
			return
		}
		if got := m.Encode(); !bytes.Equal(got, data) {
			t.Fatalf("%x became %x", data, got)
		}
		if m.Mode&ModeType != ModeDir || m.Mode&^(ModeType|modeBits) != 0 {
			t.Fatalf("mode %#o", m.Mode)
		}
		checkXattrs(t, m.Xattrs)
	})
}

func FuzzDecodeFilezHeader(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := DecodeFilezHeader(data)
		if err != nil {
			return
		}
		if got := h.EncodeFilez(); !bytes.Equal(got[HeaderPrefix:], data) {
			t.Fatalf("%x became %x", data, got)
		}
		if err := h.Check(); err != nil {
			t.Fatal(err)
		}
		if h.IsSymlink() != (h.Target != "") || h.IsSymlink() && h.Size > 0 || int64(h.Size) < 0 {
			t.Fatalf("accepted %+v", h)
		}
		checkXattrs(t, h.Xattrs)
	})
}

func FuzzDecodeUserMeta(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := DecodeUserMeta(data)
		if err != nil {
			return
		}
		if got := (DirMeta{h.UID, h.GID, h.Mode, h.Xattrs}).Encode(); !bytes.Equal(got, data) {
			t.Fatalf("%x became %x", data, got)
		}
		if h.Size != 0 || h.Target != "" {
			t.Fatalf("accepted %+v", h)
		}
		checkXattrs(t, h.Xattrs)
	})
}

func FuzzDecodeXattrs(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := DecodeXattrs(data)
		if err != nil {
			return
		}
		if got := XattrsValue(list).Bytes(); !bytes.Equal(got, data) {
			t.Fatalf("%x became %x", data, got)
		}
		checkXattrs(t, list)
	})
}

// checkXattrs fails unless Linux could have each, and names are ascending.
func checkXattrs(t testing.TB, list []Xattr) {
	t.Helper()
	for i, x := range list {
		if x.Name == "" || len(x.Name) > 255 || len(x.Value) > 64<<10 || bytes.IndexByte([]byte(x.Name), 0) >= 0 {
			t.Fatalf("xattr %q of %d bytes", x.Name, len(x.Value))
		}
		if i > 0 && list[i-1].Name >= x.Name {
			t.Fatalf("%q stands before %q", list[i-1].Name, x.Name)
		}
	}
}

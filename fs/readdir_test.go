package fs

import (
	"fmt"
	"strings"
	"testing"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"

	"deployfs/objstore/object"
)

// manyTree has n files, links and directories with names of all lengths.
func manyTree(m *memory, n int) directory {
	list := entries{}
	file, link, dir := m.file("content"), m.link("target"), m.tree(nil)
	for i := range n {
		name := fmt.Sprintf("%03d", i) + strings.Repeat("n", i%250)
		switch i % 3 {
		case 0:
			list[name] = file
		case 1:
			list[name] = link
		case 2:
			list[name] = dir
		}
	}
	return m.tree(list)
}

// TestReadDirPlus lists a directory through buffers of several sizes: each time
// the same entries, each once, with the attributes that a lookup tells.
func TestReadDirPlus(t *testing.T) {
	m := newMemory(t)
	v := m.show(m.tree(entries{"many": manyTree(m, 300), "none": m.tree(nil)}), Options{})
	dir := v.lookup(gofuse.FUSE_ROOT_ID, "many")
	var first string
	for _, size := range []int{1 << 20, 65536, 4096, 450} {
		list, outs, status := v.list(dir.NodeId, size)
		if !status.Ok() || len(list) != 302 {
			t.Fatalf("buffers of %d bytes: %d entries, %v", size, len(list), status)
		}
		for i, d := range list {
			if d.Off != uint64(i+1) {
				t.Fatalf("entry %d has offset %d", i, d.Off)
			}
			if i >= dots {
				checkListed(t, v, dir.NodeId, d, outs[i])
			}
		}
		if list[0].Name != "." || list[0].Ino != dir.Ino || list[1].Name != ".." || list[1].Ino != rootIno || outs[0].NodeId != 0 || outs[1].NodeId != 0 {
			t.Errorf("dots: %+v, %+v", list[:2], outs[:2])
		}
		if got := fmt.Sprint(list, outs); first == "" {
			first = got
		} else if got != first {
			t.Errorf("buffers of %d bytes give other entries", size)
		}
	}
	if n := v.Stats().Nodes; n != 302 {
		t.Errorf("%d nodes", n)
	}
	list, _, status := v.list(v.lookup(gofuse.FUSE_ROOT_ID, "none").NodeId, 4096)
	if !status.Ok() || len(list) != 2 {
		t.Errorf("an empty directory: %v, %v", list, status)
	}
	if list, _, _ := v.list(gofuse.FUSE_ROOT_ID, 4096); list[0].Ino != rootIno || list[1].Ino != rootIno {
		t.Errorf("dots of the root: %+v", list[:2])
	}
	v.wantReports()
}

// checkListed compares what a directory tells of an entry with its lookup.
func checkListed(t *testing.T, v *view, dir uint64, d gofuse.DirEntry, out gofuse.EntryOut) {
	t.Helper()
	want := v.lookup(dir, d.Name)
	if out != want {
		t.Errorf("%q is listed as %+v, and looked up as %+v", d.Name, out, want)
	}
	if d.Ino != want.Ino || d.Mode != want.Mode&object.ModeType {
		t.Errorf("%q is listed as %+v", d.Name, d)
	}
}

// TestReadDir lists names and types alone.
func TestReadDir(t *testing.T) {
	m := newMemory(t)
	v := m.show(manyTree(m, 30), Options{})
	buf := gofuse.NewDirEntryList(make([]byte, 1<<16), 0)
	in := &gofuse.ReadIn{InHeader: header(gofuse.FUSE_ROOT_ID)}
	if status := v.FS.ReadDir(nil, in, buf); !status.Ok() {
		t.Fatal(status)
	}
	list, err := gofuse.ParseDirEntries(buf.Bytes())
	if err != nil || len(list) != 32 {
		t.Fatalf("%d entries, %v", len(list), err)
	}
	for i, d := range list {
		types := []uint32{object.ModeRegular, object.ModeSymlink, object.ModeDir}
		want := uint32(object.ModeDir) // the dots
		if i >= dots {
			var n int
			fmt.Sscanf(d.Name, "%3d", &n)
			want = types[n%3]
		}
		if d.Mode != want || d.Ino == 0 || d.Off != uint64(i+1) {
			t.Errorf("entry %+v, want type %#o", d, want)
		}
	}
	if n := v.Stats().Nodes; n != 1 {
		t.Errorf("%d nodes", n)
	}
}

// TestReadDirBeyond: an offset behind the end is the end.
func TestReadDirBeyond(t *testing.T) {
	m := newMemory(t)
	v := m.show(manyTree(m, 5), Options{})
	for _, offset := range []uint64{7, 8, 1 << 32, 1<<64 - 1} {
		buf := gofuse.NewDirEntryList(make([]byte, 4096), offset)
		in := &gofuse.ReadIn{InHeader: header(gofuse.FUSE_ROOT_ID), Offset: offset}
		if status := v.FS.ReadDirPlus(nil, in, buf); !status.Ok() || len(buf.Bytes()) != 0 {
			t.Errorf("offset %d: %d bytes, %v", offset, len(buf.Bytes()), status)
		}
	}
}

// TestReadDirDamage: an entry without attributes is listed, and one asks for it again.
func TestReadDirDamage(t *testing.T) {
	m := newMemory(t)
	gone, sub := m.file("gone"), m.treeWith(object.DirMeta{Mode: object.ModeDir | 0o700}, nil)
	v := m.show(m.tree(entries{"gone": gone, "here": m.file("here"), "sub": sub, "zub": m.tree(entries{"x": m.file("x")})}), Options{})
	m.remove(object.Name{Checksum: gone, Kind: object.KindFile})
	m.remove(object.Name{Checksum: sub.meta, Kind: object.KindDirMeta})
	list, outs, status := v.list(gofuse.FUSE_ROOT_ID, 4096)
	if !status.Ok() || len(list) != 6 {
		t.Fatalf("%v, %v", list, status)
	}
	for i, d := range list[dots:] {
		out := outs[i+dots]
		if broken := d.Name == "gone" || d.Name == "sub"; broken != (out == gofuse.EntryOut{}) {
			t.Errorf("%s: %+v", d.Name, out)
		}
	}
	for _, name := range []string{"gone", "sub"} {
		_, status := v.tryLookup(gofuse.FUSE_ROOT_ID, name)
		v.wantEIO(name, status)
	}
	v.wantReports("/gone", "/sub")
}

// TestOpenDir refuses for good.
func TestOpenDir(t *testing.T) {
	m := newMemory(t)
	v := m.show(m.tree(nil), Options{})
	var out gofuse.OpenOut
	if status := v.FS.OpenDir(nil, &gofuse.OpenIn{InHeader: header(gofuse.FUSE_ROOT_ID)}, &out); status != gofuse.ENOSYS {
		t.Errorf("opendir: %v", status)
	}
	if status := v.FS.Flush(nil, &gofuse.FlushIn{}); status != gofuse.ENOSYS {
		t.Errorf("flush: %v", status)
	}
}

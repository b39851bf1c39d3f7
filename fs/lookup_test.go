package fs

import (
	"strings"
	"testing"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"deployfs/objstore/object"
)

// attributes are what an entry shows.
type attributes struct {
	mode, uid, gid, nlink uint32
	size, blocks          uint64
}

func shown(a gofuse.Attr) attributes {
	return attributes{a.Mode, a.Uid, a.Gid, a.Nlink, a.Size, a.Blocks}
}

// sampleTree has an entry of each kind.
func sampleTree(m *memory) directory {
	bin := m.treeWith(object.DirMeta{UID: 1, GID: 2, Mode: object.ModeDir | 0o1777}, entries{
		"sudo": m.object(object.Header{Mode: object.ModeRegular | 0o4755, UID: 7, GID: 8}, "#!/bin/sh\n"),
		"sh":   m.link("bash"),
	})
	return m.tree(entries{
		"bin":   bin,
		"empty": m.file(""),
		"file":  m.file(strings.Repeat("x", 4097)),
		"lib":   m.tree(entries{"a": m.tree(nil), "b": m.tree(nil), "c": m.file("c")}),
		"long":  m.link(strings.Repeat("t", 4095)),
		"new\nline and ü" + strings.Repeat("n", 239): m.file("n"),
	})
}

func TestLookup(t *testing.T) {
	m := newMemory(t)
	v := m.show(sampleTree(m), Options{})
	for path, want := range map[string]attributes{
		"bin":      {object.ModeDir | 0o1777, 1, 2, 2, 4096, 8},
		"bin/sudo": {object.ModeRegular | 0o4755, 7, 8, 1, 10, 8},
		"bin/sh":   {object.ModeSymlink | 0o777, 0, 0, 1, 4, 0},
		"empty":    {object.ModeRegular | 0o644, 0, 0, 1, 0, 0},
		"file":     {object.ModeRegular | 0o644, 0, 0, 1, 4097, 16},
		"lib":      {object.ModeDir | 0o755, 0, 0, 4, 4096, 8},
		"long":     {object.ModeSymlink | 0o777, 0, 0, 1, 4095, 0},
		"new\nline and ü" + strings.Repeat("n", 239): {object.ModeRegular | 0o644, 0, 0, 1, 1, 8},
	} {
		out := v.walk(path)
		if got := shown(out.Attr); got != want {
			t.Errorf("%q: %+v, want %+v", path, got, want)
		}
		if out.EntryValid != forever || out.AttrValid != forever || out.Generation != 0 {
			t.Errorf("%q: valid for %d and %d seconds, generation %d", path, out.EntryValid, out.AttrValid, out.Generation)
		}
		if out.Mtime != 0 || out.Atime != 0 || out.Ctime != 0 || out.Mtimensec != 0 || out.Blksize != 4096 || out.Rdev != 0 {
			t.Errorf("%q: attributes %+v", path, out.Attr)
		}
		again := v.walk(path)
		if again != out {
			t.Errorf("%q: %+v, then %+v", path, out, again)
		}
		attr, status := v.getAttr(out.NodeId)
		if !status.Ok() || attr.Attr != out.Attr || attr.AttrValid != forever {
			t.Errorf("%q: getattr %+v, %v", path, attr, status)
		}
	}
	v.wantReports()
}

// TestRoot has the node id and the inode number 1.
func TestRoot(t *testing.T) {
	m := newMemory(t)
	v := m.show(sampleTree(m), Options{})
	out, status := v.getAttr(gofuse.FUSE_ROOT_ID)
	if !status.Ok() || out.Ino != 1 || shown(out.Attr) != (attributes{object.ModeDir | 0o755, 0, 0, 4, 4096, 8}) || out.AttrValid != forever {
		t.Errorf("%+v, %v", out, status)
	}
}

// TestAbsentName is an answer that the kernel keeps.
func TestAbsentName(t *testing.T) {
	m := newMemory(t)
	v := m.show(sampleTree(m), Options{})
	for _, name := range []string{"nope", "bi", "binn", "\xff", " ", strings.Repeat("n", 255)} {
		in, out := header(gofuse.FUSE_ROOT_ID), gofuse.EntryOut{NodeId: 9, Attr: gofuse.Attr{Ino: 9}}
		status := v.FS.Lookup(nil, &in, name, &out)
		if !status.Ok() || out != (gofuse.EntryOut{EntryValid: forever}) {
			t.Errorf("%q: %+v, %v", name, out, status)
		}
	}
	if _, status := v.tryLookup(gofuse.FUSE_ROOT_ID, strings.Repeat("n", 256)); status != gofuse.Status(unix.ENAMETOOLONG) {
		t.Errorf("a name of 256 bytes: %v", status)
	}
	if n := v.Stats().Nodes; n != 1 {
		t.Errorf("%d nodes", n)
	}
	v.wantReports()
}

// TestUnknownNodes: the kernel asks for none that it was not told, others are refused.
func TestUnknownNodes(t *testing.T) {
	m := newMemory(t)
	v := m.show(sampleTree(m), Options{})
	file := v.lookup(gofuse.FUSE_ROOT_ID, "file")
	for _, node := range []uint64{0, 99, 1<<32 - 1, file.NodeId} {
		if _, status := v.tryLookup(node, "x"); status.Ok() {
			t.Errorf("lookup in node %d", node)
		}
		if _, _, status := v.list(node, 4096); status.Ok() {
			t.Errorf("list of node %d", node)
		}
	}
	for _, node := range []uint64{0, 99} {
		if _, status := v.getAttr(node); status.Ok() {
			t.Errorf("attributes of node %d", node)
		}
		if _, status := v.read(node, 10, 0); status.Ok() {
			t.Errorf("read of node %d", node)
		}
	}
	bin := v.lookup(gofuse.FUSE_ROOT_ID, "bin")
	if _, status := v.read(bin.NodeId, 10, 0); status.Ok() {
		t.Error("read of a directory")
	}
	in := header(bin.NodeId)
	if target, status := v.FS.Readlink(nil, &in); status.Ok() {
		t.Errorf("target %q of a directory", target)
	}
}

func TestReadlink(t *testing.T) {
	m := newMemory(t)
	v := m.show(sampleTree(m), Options{})
	for path, want := range map[string]string{"bin/sh": "bash", "long": strings.Repeat("t", 4095)} {
		in := header(v.walk(path).NodeId)
		if got, status := v.FS.Readlink(nil, &in); !status.Ok() || string(got) != want {
			t.Errorf("%s: %q, %v", path, got, status)
		}
	}
}

// TestInodes are the same at every mount, and differ for each path of one object.
func TestInodes(t *testing.T) {
	m := newMemory(t)
	same := m.file("same")
	sub := m.tree(entries{"file": same})
	root := m.tree(entries{"a": sub, "b": sub, "file": same, "usr": m.tree(entries{"bin": same})})
	first, second := m.show(root, Options{}), m.show(root, Options{Verify: VerifyNone})
	second.walk("usr/bin") // so that node ids differ
	seen := map[uint64]string{}
	for _, path := range []string{"a", "a/file", "b", "b/file", "file", "usr", "usr/bin"} {
		ino := first.walk(path).Ino
		if other := second.walk(path).Ino; other != ino {
			t.Errorf("%s: inode %d, then %d", path, ino, other)
		}
		if seen[ino] != "" {
			t.Errorf("%s and %s share inode %d", path, seen[ino], ino)
		}
		seen[ino] = path
	}
	if ino := first.walk("usr/bin").Ino; ino != 0xffc05fd6ac093cb1 {
		t.Errorf("usr/bin has inode %#x", ino)
	}
}

func TestOptions(t *testing.T) {
	m := newMemory(t)
	v := m.show(sampleTree(m), Options{Mtime: 1700000000, DirMode: 0o775})
	for path, mode := range map[string]uint32{"bin": object.ModeDir | 0o775, "bin/sudo": object.ModeRegular | 0o4755} {
		out := v.walk(path)
		if out.Mode != mode || out.Mtime != 1700000000 || out.Ctime != 1700000000 || out.Atime != 1700000000 {
			t.Errorf("%s: %+v", path, out.Attr)
		}
	}
	for _, way := range []Verify{VerifyFirst, VerifyNone, VerifyAlways} {
		if got, err := ParseVerify(way.String()); err != nil || got != way {
			t.Errorf("%s is read as %v, %v", way, got, err)
		}
	}
	for _, bad := range []string{"", "First", "off"} {
		if way, err := ParseVerify(bad); err == nil {
			t.Errorf("%q is read as %v", bad, way)
		}
	}
}

// TestMemorySizes: no size is too small to work, or too large to start.
func TestMemorySizes(t *testing.T) {
	m := newMemory(t)
	root := sampleTree(m)
	for _, size := range []int64{1, 7, 8, 1000, 1 << 62} {
		v := m.show(root, Options{Memory: size})
		v.walk("bin/sudo")
		if s := v.Stats(); s.MemoryLimit != size || s.MemoryUsed > size {
			t.Errorf("cache of %d bytes: %d of %d are used", size, s.MemoryUsed, s.MemoryLimit)
		}
	}
}

func TestStats(t *testing.T) {
	m := newMemory(t)
	v := m.show(sampleTree(m), Options{})
	out := v.walk("bin/sudo")
	if data, status := v.read(out.NodeId, 100, 0); !status.Ok() || data != "#!/bin/sh\n" {
		t.Errorf("%q, %v", data, status)
	}
	v.FS.Forget(out.NodeId, 1)
	got := v.Stats()
	if got.Requests != 3 || got.Bytes != 10 || got.Errors != 0 || got.Nodes != 3 || got.OpenFiles != 1 || got.CacheUsed != 0 ||
		got.MemoryLimit != DefaultMemory || got.CacheLimit != 1<<20 {
		t.Errorf("%+v", got)
	}
	var st gofuse.StatfsOut
	in := header(gofuse.FUSE_ROOT_ID)
	if status := v.FS.StatFs(nil, &in, &st); !status.Ok() || st != (gofuse.StatfsOut{Blocks: 1000, Bfree: 600, Bavail: 500, Files: 90, Ffree: 80, Bsize: 4096, Frsize: 4096, NameLen: 255}) {
		t.Errorf("%+v, %v", st, status)
	}
}

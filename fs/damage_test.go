package fs

import (
	"testing"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"

	"deployfs/objstore/object"
)

// woundedTree has something to lose in each directory, and a good one.
func woundedTree(m *memory) (root directory, parts map[string]directory, link object.Checksum) {
	parts = map[string]directory{
		"good": m.tree(entries{"file": m.file("good")}),
		"meta": m.treeWith(object.DirMeta{Mode: object.ModeDir | 0o711}, entries{"file": m.file("in meta")}),
		"tree": m.tree(entries{"file": m.file("in tree"), "sub": m.tree(entries{"deep": m.file("deep")})}),
	}
	link = m.link("target")
	root = m.tree(entries{"good": parts["good"], "meta": parts["meta"], "tree": parts["tree"], "link": link})
	return root, parts, link
}

// TestDamagedDirectory: a dirtree that is absent or wrong is EIO for what is
// below it, and reported once, by its directory's path.
func TestDamagedDirectory(t *testing.T) {
	for what, damage := range map[string]func(m *memory, name object.Name){
		"absent": func(m *memory, name object.Name) { m.remove(name) },
		"other":  func(m *memory, name object.Name) { m.set(name, []byte{0}) },
		"junk":   func(m *memory, name object.Name) { m.set(name, []byte("junk")) },
	} {
		for _, way := range []Verify{VerifyFirst, VerifyNone, VerifyAlways} {
			m := newMemory(t)
			root, parts, _ := woundedTree(m)
			v := m.show(root, Options{Verify: way})
			name := object.Name{Checksum: parts["tree"].tree, Kind: object.KindDirTree}
			damage(m, name)
			dir := v.walk("tree")
			if dir.Nlink != 2 {
				t.Errorf("%s: %d links", what, dir.Nlink)
			}
			_, lookup := v.tryLookup(dir.NodeId, "file")
			_, _, list := v.list(dir.NodeId, 4096)
			if way == VerifyNone && what == "other" {
				if !lookup.Ok() || !list.Ok() {
					t.Errorf("a trusted directory: %v, %v", lookup, list)
				}
				continue
			}
			v.wantEIO(what+": lookup", lookup)
			v.wantEIO(what+": list", list)
			v.wantReports("/tree")
			if what != "absent" {
				v.wantCorrupt(object.KindDirTree, name.Checksum)
			}
			v.walk("good/file")
			v.walk("meta/file")
		}
	}
}

// TestDamagedMeta: a dirmeta that is absent or wrong is EIO for its directory.
func TestDamagedMeta(t *testing.T) {
	m := newMemory(t)
	root, parts, _ := woundedTree(m)
	v := m.show(root, Options{})
	name := object.Name{Checksum: parts["meta"].meta, Kind: object.KindDirMeta}
	for _, damage := range []func(){
		func() { m.set(name, object.DirMeta{Mode: object.ModeDir | 0o777}.Encode()) },
		func() { m.set(name, []byte("junk")) },
		func() { m.remove(name) },
	} {
		damage()
		_, status := v.tryLookup(gofuse.FUSE_ROOT_ID, "meta")
		v.wantEIO("lookup", status)
	}
	v.wantReports("/meta")
	v.wantCorrupt(object.KindDirMeta, name.Checksum)
	v.walk("tree/sub/deep")
}

// TestHostileMeta has the right checksum, and means nothing.
func TestHostileMeta(t *testing.T) {
	for _, mode := range []uint32{object.ModeRegular | 0o644, object.ModeSymlink | 0o777, 0o755, 1<<16 | object.ModeDir} {
		m := newMemory(t)
		bad := m.treeWith(object.DirMeta{Mode: mode}, nil)
		for _, way := range []Verify{VerifyFirst, VerifyNone} {
			v := m.show(m.tree(entries{"bad": bad, "good": m.file("x")}), Options{Verify: way})
			_, status := v.tryLookup(gofuse.FUSE_ROOT_ID, "bad")
			v.wantEIO("lookup", status)
			v.walk("good")
		}
	}
}

func TestDamagedLink(t *testing.T) {
	for _, way := range []Verify{VerifyFirst, VerifyNone, VerifyAlways} {
		m := newMemory(t)
		root, _, link := woundedTree(m)
		v := m.show(root, Options{Verify: way})
		in := header(v.walk("link").NodeId)
		m.setHeader(link, object.Header{Mode: object.ModeSymlink | 0o777, Target: "elsewhere"})
		target, status := v.FS.Readlink(nil, &in)
		if way == VerifyNone {
			if !status.Ok() || string(target) != "elsewhere" {
				t.Errorf("a trusted link: %q, %v", target, status)
			}
			continue
		}
		v.wantEIO("readlink", status)
		v.wantReports("/link")
		v.wantCorrupt(object.KindFile, link)
	}
}

// TestReports tells each object once, and each of many.
func TestReports(t *testing.T) {
	m := newMemory(t)
	one, two := m.file("one"), m.file("two")
	sub := m.tree(entries{"one": one, "two": two})
	v := m.show(m.tree(entries{"a": sub, "b": sub}), Options{})
	m.remove(object.Name{Checksum: one, Kind: object.KindFile})
	m.remove(object.Name{Checksum: two, Kind: object.KindFile})
	for _, path := range []string{"a", "b", "a"} {
		dir := v.walk(path).NodeId
		for _, name := range []string{"two", "one"} {
			_, status := v.tryLookup(dir, name)
			v.wantEIO(name, status)
		}
	}
	v.wantReports("/a/two", "/a/one")
	if n := v.Stats().Errors; n != 6 {
		t.Errorf("%d errors", n)
	}
}

// TestChangedDirectory: without verification a directory can change while the
// kernel holds its nodes. That is an error, whatever it lost.
func TestChangedDirectory(t *testing.T) {
	m := newMemory(t)
	file, sub := m.file("x"), m.tree(entries{"inner": m.file("inner")})
	dir := m.tree(entries{"a": file, "b": file, "c": sub, "d": sub})
	v := m.show(m.tree(entries{"dir": dir}), Options{Verify: VerifyNone, Memory: 1})
	nodes := map[string]uint64{}
	for _, path := range []string{"dir", "dir/a", "dir/b", "dir/c", "dir/d", "dir/d/inner"} {
		nodes[path] = v.walk(path).NodeId
	}
	for i := range v.recent {
		v.recent[i].Store(nil)
	}
	name := object.Name{Checksum: dir.tree, Kind: object.KindDirTree}
	for what, other := range map[string]directory{
		"nothing left": m.tree(nil), "one file": m.tree(entries{"a": file}), "files only": m.tree(entries{"a": file, "b": file, "c": file, "d": file}),
	} {
		m.set(name, m.meta[object.Name{Checksum: other.tree, Kind: object.KindDirTree}])
		_, inner := v.tryLookup(nodes["dir/d"], "inner")
		if inner.Ok() {
			t.Errorf("%s: a lookup below what is gone", what)
		}
		if _, status := v.getAttr(nodes["dir/d/inner"]); status.Ok() {
			t.Errorf("%s: attributes below what is gone", what)
		}
		for _, node := range nodes { // whatever they answer, the server lives
			v.getAttr(node)
			v.read(node, 10, 0)
			v.list(node, 4096)
			in := header(node)
			v.FS.Readlink(nil, &in)
			v.listXattr(node, 0, 100)
		}
	}
}

// TestUnverifiedCycle: directories that hold themselves, which only a repository
// that is not verified can have, end at some depth.
func TestUnverifiedCycle(t *testing.T) {
	m := newMemory(t)
	dir := m.tree(entries{"d": m.tree(nil)})
	m.set(object.Name{Checksum: m.tree(nil).tree, Kind: object.KindDirTree}, m.meta[object.Name{Checksum: dir.tree, Kind: object.KindDirTree}])
	v := m.show(dir, Options{Verify: VerifyNone})
	node := uint64(gofuse.FUSE_ROOT_ID)
	for depth := range 3 * maxDepth {
		out, status := v.tryLookup(node, "d")
		if !status.Ok() {
			t.Fatalf("at depth %d: %v", depth, status)
		}
		node = out.NodeId
	}
	for i := range v.recent {
		v.recent[i].Store(nil)
	}
	_, status := v.tryLookup(node, "d")
	v.wantEIO("far down, with nothing remembered", status)
}

package fs

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"math/rand"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/fault"
	"deployfs/objstore/index"
	"deployfs/objstore/object"
)

// checked reads a memory's objects as an index is built from them.
type checked struct{ *memory }

func (c checked) metadata(sum object.Checksum, kind object.Kind) ([]byte, error) {
	name := object.Name{Checksum: sum, Kind: kind}
	data, err := c.ReadMetadata(name, objstore.MaxMetadata)
	if err == nil {
		err = objstore.CheckMetadata(name, data)
	}
	return data, err
}

func (c checked) DirTree(sum object.Checksum) (t object.DirTree, err error) {
	data, err := c.metadata(sum, object.KindDirTree)
	if err != nil {
		return t, err
	}
	return object.DecodeDirTree(data)
}

func (c checked) DirMeta(sum object.Checksum) (d object.DirMeta, err error) {
	data, err := c.metadata(sum, object.KindDirMeta)
	if err != nil {
		return d, err
	}
	return object.DecodeDirMeta(data)
}

// index builds the index of a directory as it is now.
func (m *memory) index(root directory) *index.Index {
	m.t.Helper()
	data, err := index.Build(context.Background(), checked{m}, index.Root{Tree: root.tree, Meta: root.meta}, 0)
	if err != nil {
		m.t.Fatal(err)
	}
	x, err := index.Parse(data)
	if err != nil {
		m.t.Fatal(err)
	}
	m.reads.Store(0)
	m.stats.Store(0)
	m.opens.Store(0)
	return x
}

// never fails when it is called.
func (v *view) never(error) { v.t.Error("the index is said to be out of date") }

// answer is all that a node answers, node ids apart.
type answer struct {
	attr     string
	listed   string
	absent   string
	target   string
	xattrs   string
	content  string
	children map[string]string // by name, what its lookup answers
}

// ask asks a node everything, and returns the nodes of its children.
func (v *view) ask(node uint64, noXattrs bool) (a answer, children map[string]uint64) {
	attr, status := v.getAttr(node)
	a.attr = fmt.Sprint(attr, status)
	a.xattrs = v.askXattrs(node, noXattrs)
	a.children, children = map[string]string{}, map[string]uint64{}
	switch attr.Mode & object.ModeType {
	case object.ModeDir:
		v.askList(node, &a, children)
	case object.ModeSymlink:
		in := header(node)
		target, status := v.FS.Readlink(nil, &in)
		a.target = fmt.Sprintf("%q %v", target, status)
	default:
		for _, offset := range []uint64{0, 3, 1 << 20} {
			data, status := v.read(node, 5000, offset)
			a.content += fmt.Sprintf("%x %v ", sha256.Sum256([]byte(data)), status)
		}
	}
	return a, children
}

// askXattrs asks for each xattr; where none can be, as if there were simply none.
func (v *view) askXattrs(node uint64, noXattrs bool) (text string) {
	for _, uid := range []uint32{0, 1000} {
		names, n, status := v.listXattr(node, uid, 4096)
		if noXattrs {
			if names, status = []string{""}, gofuse.OK; n != 0 {
				v.t.Errorf("%d bytes of names of xattrs, and there are none", n)
			}
		}
		text += fmt.Sprintf("%q %d %v ", names, n, status)
		for _, name := range append(names, "user.absent") {
			value, n, status := v.getXattr(node, name, 500)
			if status == gofuse.ERANGE {
				value, n, status = v.getXattr(node, name, int(n))
			}
			if noXattrs {
				status = gofuse.ENOATTR
			}
			text += fmt.Sprintf("%q %d %v ", value, n, status)
		}
	}
	return text
}

func (v *view) askList(node uint64, a *answer, children map[string]uint64) {
	for _, size := range []int{1 << 16, 600} {
		list, outs, status := v.list(node, size)
		for i := range outs {
			outs[i].NodeId = min(outs[i].NodeId, 1)
		}
		a.listed += fmt.Sprint(list, outs, status)
		for _, d := range list {
			if d.Name != "." && d.Name != ".." {
				children[d.Name] = 0
			}
		}
	}
	buf := gofuse.NewDirEntryList(make([]byte, 1<<18), 0)
	status := v.FS.ReadDir(nil, &gofuse.ReadIn{InHeader: header(node)}, buf)
	a.listed += fmt.Sprintf("%q %v", buf.Bytes(), status)
	for _, name := range slices.Sorted(maps.Keys(children)) {
		out, status := v.tryLookup(node, name)
		children[name], out.NodeId = out.NodeId, min(out.NodeId, 1)
		a.children[name] = fmt.Sprint(out, status)
		for _, absent := range []string{name + "\x00", name[:len(name)-1] + "\x01", strings.ToUpper(name)} {
			if _, ok := children[absent]; !ok && len(absent) <= maxName {
				out, status := v.tryLookup(node, absent)
				a.absent += fmt.Sprint(out, status)
			}
		}
	}
}

// sameAnswers walks two views of one tree and compares all answers. It returns
// the number of nodes.
func sameAnswers(t *testing.T, want, got *view) int {
	t.Helper()
	bad := 0
	var walk func(path string, w, g uint64) int
	walk = func(path string, w, g uint64) int {
		wantAnswer, wantNodes := want.ask(w, want.noXattrs())
		gotAnswer, gotNodes := got.ask(g, got.noXattrs())
		if a, b := fmt.Sprintf("%q", wantAnswer), fmt.Sprintf("%q", gotAnswer); a != b {
			if bad++; bad < 5 {
				t.Errorf("%q: %.3000s\nwant %.3000s", path, b, a)
			}
		}
		n := 1
		for _, name := range slices.Sorted(maps.Keys(wantNodes)) {
			if wantNodes[name] != 0 && gotNodes[name] != 0 {
				n += walk(path+"/"+name, wantNodes[name], gotNodes[name])
			}
		}
		return n
	}
	n := walk("", gofuse.FUSE_ROOT_ID, gofuse.FUSE_ROOT_ID)
	slices.Sort(want.reports)
	slices.Sort(got.reports)
	if !slices.Equal(want.reports, got.reports) {
		t.Errorf("reported %q, want %q", got.reports, want.reports)
	}
	return n
}

// bush is a random tree of all kinds of entries, some of which share objects.
func bush(m *memory, random *rand.Rand, depth int) directory {
	list := entries{}
	name := func() string {
		return strings.Repeat(string(rune(0x20+random.Intn(15)))+string(rune(0xe0+random.Intn(900))), 1+random.Intn(40))
	}
	for range random.Intn(9) {
		switch random.Intn(6) {
		case 0:
			list[name()] = m.link(name())
		case 1:
			list[name()] = m.file("")
		default:
			h := object.Header{Mode: object.ModeRegular | uint32(random.Intn(0o10000)), UID: uint32(random.Intn(3))}
			if random.Intn(3) == 0 {
				h.Xattrs = []object.Xattr{{Name: "trusted.t", Value: []byte("t")}, {Name: "user." + name(), Value: []byte(name())}}
			}
			list[name()] = m.object(h, strings.Repeat("content ", random.Intn(1000)))
		}
	}
	for range random.Intn(4) * min(depth, 1) {
		sub := bush(m, random, depth-1)
		list[name()] = sub
		list[name()] = sub
	}
	for n := range list { // a slash ends a name
		if strings.Contains(n, "/") {
			delete(list, n)
		}
	}
	return m.treeWith(object.DirMeta{Mode: object.ModeDir | uint32(random.Intn(0o10000)), GID: uint32(random.Intn(3))}, list)
}

// hurt takes some objects away, damages some, and spares the root's.
func hurt(m *memory, random *rand.Rand, root directory) {
	sums := slices.SortedFunc(maps.Keys(m.meta), func(a, b object.Name) int { return strings.Compare(a.String(), b.String()) })
	for _, name := range sums {
		if name.Checksum == root.tree || name.Checksum == root.meta {
			continue
		}
		switch random.Intn(12) {
		case 0:
			m.remove(name)
		case 1:
			m.set(name, []byte("junk"))
		}
	}
	for _, sum := range slices.SortedFunc(maps.Keys(m.headers), func(a, b object.Checksum) int { return strings.Compare(a.String(), b.String()) }) {
		switch random.Intn(12) {
		case 0:
			m.remove(object.Name{Checksum: sum, Kind: object.KindFile})
		case 1:
			h := m.headers[sum]
			h.UID += 9
			m.setHeader(sum, h)
		case 2:
			m.write(sum, strings.Repeat("y", int(m.headers[sum].Size)))
		}
	}
}

// trees are trees to compare answers of, by what is special about them.
func trees(m *memory) map[string]directory {
	grove := map[string]directory{
		"empty": m.tree(nil), "sample": sampleTree(m), "many": manyTree(m, 100),
	}
	deep := m.tree(nil)
	for range 50 {
		deep = m.tree(entries{"d": deep, "file": m.file("content")})
	}
	grove["deep"] = deep
	grove["labelled"], _ = labelled(m)
	for seed := range 5 {
		grove[fmt.Sprint("random ", seed)] = bush(m, rand.New(rand.NewSource(int64(seed))), 3)
	}
	return grove
}

// TestIndexAnswers: with an index every answer is what it is without, and the
// objects of directories are not read any more.
func TestIndexAnswers(t *testing.T) {
	for _, opts := range []Options{{}, {Verify: VerifyAlways, DirMode: 0o775, Mtime: 1700000000}} {
		m := newMemory(t)
		for name, root := range trees(m) {
			want, got := m.show(root, opts), m.show(root, opts)
			got.UseIndex(m.index(root), got.never)
			sameAnswers(t, want, got)
			alone := m.show(root, opts)
			alone.UseIndex(m.index(root), alone.never)
			alone.askAll(gofuse.FUSE_ROOT_ID)
			// opening a file takes its header
			if reads, stats := m.reads.Load(), m.stats.Load()-m.opens.Load(); reads > 0 || stats > 0 {
				t.Errorf("%s: with an index %d objects of directories are read, and %d headers", name, reads, stats)
			}
		}
	}
}

// askAll asks a node and all below it.
func (v *view) askAll(node uint64) {
	_, children := v.ask(node, v.noXattrs())
	for _, child := range children {
		v.askAll(child)
	}
}

// TestIndexedRoot: the mounted directory itself is in the index, too.
func TestIndexedRoot(t *testing.T) {
	m := newMemory(t)
	root, _ := labelled(m)
	want, got := m.show(root, Options{}), m.show(root, Options{})
	wantAttr, _ := want.getAttr(gofuse.FUSE_ROOT_ID)
	wantXattrs := want.askXattrs(gofuse.FUSE_ROOT_ID, false)
	got.UseIndex(m.index(root), got.never)
	if attr, status := got.getAttr(gofuse.FUSE_ROOT_ID); !status.Ok() || attr != wantAttr {
		t.Errorf("%+v, %v, want %+v", attr, status, wantAttr)
	}
	if xattrs := got.askXattrs(gofuse.FUSE_ROOT_ID, false); xattrs != wantXattrs {
		t.Errorf("%s, want %s", xattrs, wantXattrs)
	}
	if reads := m.reads.Load(); reads > 0 {
		t.Errorf("the root's attributes and xattrs take %d reads of objects", reads)
	}
}

// TestIndexOfDamage: what was damaged when the index was built is a gap, and
// answers as without an index.
func TestIndexOfDamage(t *testing.T) {
	for _, way := range []Verify{VerifyFirst, VerifyNone, VerifyAlways} {
		for seed := range int64(6) {
			m := newMemory(t)
			root := m.tree(entries{"a": bush(m, rand.New(rand.NewSource(seed)), 3), "b": bush(m, rand.New(rand.NewSource(seed+100)), 3)})
			hurt(m, rand.New(rand.NewSource(seed)), root)
			want, got := m.show(root, Options{Verify: way}), m.show(root, Options{Verify: way})
			got.UseIndex(m.index(root), got.never)
			sameAnswers(t, want, got)
			if way == VerifyFirst && len(want.reports) == 0 {
				t.Errorf("seed %d: nothing is damaged", seed)
			}
		}
	}
}

// TestGapsAreFilled: what was not there when the index was built is found later.
func TestGapsAreFilled(t *testing.T) {
	for seed := range int64(6) {
		m := newMemory(t)
		root := m.tree(entries{"a": bush(m, rand.New(rand.NewSource(seed)), 3), "b": bush(m, rand.New(rand.NewSource(seed+100)), 3)})
		meta, headers := maps.Clone(m.meta), maps.Clone(m.headers)
		random := rand.New(rand.NewSource(seed))
		for name := range m.meta {
			if name.Checksum != root.tree && name.Checksum != root.meta && random.Intn(5) == 0 {
				m.remove(name)
			}
		}
		for sum := range m.headers {
			if random.Intn(5) == 0 {
				m.remove(object.Name{Checksum: sum, Kind: object.KindFile})
			}
		}
		x := m.index(root)
		m.meta, m.headers = meta, headers
		want, got := m.show(root, Options{}), m.show(root, Options{})
		got.UseIndex(x, got.never)
		sameAnswers(t, want, got)
		got.wantReports()
	}
}

// TestIndexMidway: an index that comes while the kernel holds nodes finds their
// directories, and one that goes leaves them.
func TestIndexMidway(t *testing.T) {
	m := newMemory(t)
	for name, root := range trees(m) {
		want, got := m.show(root, Options{}), m.show(root, Options{})
		before := sameAnswers(t, want, got)
		stale := 0
		got.UseIndex(m.index(root), func(error) { stale++ })
		during := sameAnswers(t, want, got)
		nodes := got.Stats().Nodes
		got.dropIndex(errCut)
		got.dropIndex(errCut)
		after := sameAnswers(t, want, got)
		if before != during || during != after || stale != 1 || got.Stats().Nodes != nodes {
			t.Errorf("%s: %d, %d, then %d nodes; said to be stale %d times", name, before, during, after, stale)
		}
	}
}

// TestIndexComesAndGoes meanwhile: whoever answers, the answers are the same.
func TestIndexComesAndGoes(t *testing.T) {
	m := newMemory(t)
	root := m.tree(entries{"chains": chainTree(m), "bush": bush(m, rand.New(rand.NewSource(3)), 3), "sample": sampleTree(m)})
	x := m.index(root)
	want, got := m.show(root, Options{Memory: 1 << 14}), m.show(root, Options{Memory: 1 << 14})
	type place struct {
		node uint64
		want string
	}
	var places []place
	var walk func(w, g uint64)
	walk = func(w, g uint64) {
		a, children := want.ask(w, false)
		places = append(places, place{g, fmt.Sprintf("%q", a)})
		for name, child := range children {
			walk(child, got.lookup(g, name).NodeId)
		}
	}
	walk(gofuse.FUSE_ROOT_ID, gofuse.FUSE_ROOT_ID)
	var askers, changer sync.WaitGroup
	var ended atomic.Bool
	for worker := range 4 {
		askers.Go(func() {
			random := rand.New(rand.NewSource(int64(worker)))
			for range 300 {
				p := places[random.Intn(len(places))]
				if a, _ := got.ask(p.node, false); fmt.Sprintf("%q", a) != p.want {
					t.Errorf("node %d: %.1000q\nwant %.1000s", p.node, a, p.want)
					return
				}
			}
		})
	}
	changer.Go(func() {
		for !ended.Load() {
			got.UseIndex(x, func(error) {})
			got.lookup(gofuse.FUSE_ROOT_ID, "chains")
			got.dropIndex(errCut)
		}
	})
	askers.Wait()
	ended.Store(true)
	changer.Wait()
	got.wantReports()
}

// TestStaleIndex: a file that has another size than its index says is not shown
// with that; after that only the objects are asked.
func TestStaleIndex(t *testing.T) {
	m := newMemory(t)
	file, other := m.file("content"), m.file("other")
	root := m.tree(entries{"file": file, "other": other, "sub": m.tree(entries{"file": file})})
	x := m.index(root)
	v := m.show(root, Options{Verify: VerifyNone})
	var stale atomic.Int32
	v.UseIndex(x, func(error) { stale.Add(1) })
	m.write(file, "longer content")
	m.setHeader(file, object.Header{Mode: object.ModeRegular | 0o600, Size: 14})
	node := v.walk("sub/file")
	if node.Size != 7 || stale.Load() != 0 {
		t.Errorf("%d bytes before it was read, stale %d times", node.Size, stale.Load())
	}
	v.wantRead(v.walk("other").NodeId, "other")
	var readers sync.WaitGroup
	var eio atomic.Int32
	for range 8 {
		readers.Go(func() {
			if _, status := v.read(node.NodeId, 100, 0); status == gofuse.EIO {
				eio.Add(1)
			}
		})
	}
	readers.Wait()
	if eio.Load() == 0 || stale.Load() != 1 {
		t.Errorf("%d errors, stale %d times", eio.Load(), stale.Load())
	}
	v.wantReports("/sub/file")
	if told := (*ToldError)(nil); !errors.As(v.errs[0], &told) || told.Object.Checksum != file {
		t.Errorf("reported %v", v.errs[0])
	}
	v.wantBad(node.NodeId) // the kernel has its old size
	if out := v.walk("file"); out.Size != 14 || out.Mode != object.ModeRegular|0o600 {
		t.Errorf("afterwards %+v", out.Attr)
	}
	v.wantRead(v.walk("file").NodeId, "longer content")
	if stale.Load() != 1 {
		t.Errorf("stale %d times", stale.Load())
	}
}

// TestShorterFile is cut after the index was built, and before it is verified.
func TestShorterFile(t *testing.T) {
	for _, way := range []Verify{VerifyFirst, VerifyNone, VerifyAlways} {
		m := newMemory(t)
		file := m.file("content")
		root := m.tree(entries{"file": file, "other": m.file("other")})
		x := m.index(root)
		v := m.show(root, Options{Verify: way})
		stale := 0
		v.UseIndex(x, func(error) { stale++ })
		for _, content := range []string{"cont", ""} {
			m.write(file, content)
			m.setHeader(file, object.Header{Mode: object.ModeRegular | 0o644, Size: uint64(len(content))})
			out, status := v.tryLookup(gofuse.FUSE_ROOT_ID, "file")
			if !status.Ok() {
				continue // an empty file is verified before it is read
			}
			if data, status := v.read(out.NodeId, 100, 0); status.Ok() && (data != content || way != VerifyNone || stale == 0) {
				t.Errorf("%v: %q of %q", way, data, content)
			}
		}
		if stale > 1 || way == VerifyNone && stale != 1 {
			t.Errorf("%v: stale %d times", way, stale)
		}
		v.wantRead(v.walk("other").NodeId, "other")
	}
}

// TestReadOfLink: a link has a target and no size that could be wrong.
func TestReadOfLink(t *testing.T) {
	m := newMemory(t)
	root := sampleTree(m)
	want, got := m.show(root, Options{}), m.show(root, Options{})
	got.UseIndex(m.index(root), got.never)
	wantData, wantStatus := want.read(want.walk("bin/sh").NodeId, 10, 0)
	if data, status := got.read(got.walk("bin/sh").NodeId, 10, 0); data != wantData || status != wantStatus {
		t.Errorf("%q, %v, want %q, %v", data, status, wantData, wantStatus)
	}
}

// TestReadlinkOfFile: what was a link when the kernel looked, by a damaged object,
// and is a file by the index that came then, has no target.
func TestReadlinkOfFile(t *testing.T) {
	m := newMemory(t)
	file := m.file("good")
	root := m.tree(entries{"file": file})
	x := m.index(root)
	honest, _ := m.Header(file)
	m.setHeader(file, object.Header{Mode: object.ModeSymlink | 0o777, Target: "elsewhere"})
	v := m.show(root, Options{})
	in := header(v.walk("file").NodeId)
	v.UseIndex(x, v.never)
	_, status := v.FS.Readlink(nil, &in)
	v.wantEIO("readlink of a damaged object", status)
	m.setHeader(file, honest)
	_, status = v.FS.Readlink(nil, &in)
	v.wantEIO("readlink of a file", status)
}

// TestNoXattrs: where no entry has any the kernel is told to ask no more, and
// never where one may have some.
func TestNoXattrs(t *testing.T) {
	m := newMemory(t)
	with, _ := labelled(m)
	rootOnly := m.treeWith(object.DirMeta{Mode: object.ModeDir | 0o755, Xattrs: []object.Xattr{{Name: "user.a", Value: []byte("b")}}}, nil)
	damaged := m.file("damaged")
	gap := m.tree(entries{"damaged": damaged})
	for name, c := range map[string]struct {
		root   directory
		opts   Options
		before gofuse.Status // of a file without any
		with   gofuse.Status
	}{
		"none":       {sampleTree(m), Options{}, gofuse.ENOATTR, gofuse.ENOSYS},
		"some":       {with, Options{}, gofuse.ENOATTR, gofuse.ENOATTR},
		"root":       {rootOnly, Options{}, gofuse.ENOATTR, gofuse.ENOATTR},
		"gap":        {gap, Options{}, gofuse.ENOATTR, gofuse.ENOATTR},
		"not stored": {sampleTree(m), Options{NoXattrs: true}, gofuse.ENOSYS, gofuse.ENOSYS},
	} {
		if name == "gap" {
			m.remove(object.Name{Checksum: damaged, Kind: object.KindFile})
		}
		v := m.show(c.root, c.opts)
		for i, want := range []gofuse.Status{c.before, c.with} {
			if _, _, status := v.getXattr(gofuse.FUSE_ROOT_ID, "user.absent", 10); status != want {
				t.Errorf("%s, %d: get: %v, want %v", name, i, status, want)
			}
			if want == gofuse.ENOATTR {
				want = gofuse.OK
			}
			if _, _, status := v.listXattr(gofuse.FUSE_ROOT_ID, 0, 1000); status != want {
				t.Errorf("%s, %d: list: %v, want %v", name, i, status, want)
			}
			v.UseIndex(m.index(c.root), v.never)
		}
	}
}

// TestIndexOfCycle: a directory that holds itself, in a repository that is not
// verified, is a gap.
func TestIndexOfCycle(t *testing.T) {
	m := newMemory(t)
	dir := m.tree(entries{"d": m.tree(nil)})
	m.set(object.Name{Checksum: m.tree(nil).tree, Kind: object.KindDirTree}, m.meta[object.Name{Checksum: dir.tree, Kind: object.KindDirTree}])
	v := m.show(dir, Options{Verify: VerifyNone})
	v.UseIndex(m.index(dir), v.never)
	node := uint64(gofuse.FUSE_ROOT_ID)
	for range maxDepth / 2 {
		node = v.lookup(node, "d").NodeId
	}
}

// TestIndexAllocations: what an answer allocates does not grow.
func TestIndexAllocations(t *testing.T) {
	for _, indexed := range []bool{false, true} {
		m := newMemory(t)
		list, file := entries{}, m.file("content")
		for i := range 1000 {
			list[fmt.Sprintf("lib%04d.so", i)] = file
		}
		list["sub"] = m.tree(entries{"file": file})
		root := m.tree(list)
		v := m.show(root, Options{})
		if indexed {
			v.UseIndex(m.index(root), v.never)
		}
		v.list(gofuse.FUSE_ROOT_ID, 1<<16)
		in, out := header(gofuse.FUSE_ROOT_ID), gofuse.EntryOut{}
		lookup := testing.AllocsPerRun(200, func() { v.FS.Lookup(nil, &in, "lib0500.so", &out) })
		absent := testing.AllocsPerRun(200, func() { v.FS.Lookup(nil, &in, "lib0500.sa", &out) })
		attr := testing.AllocsPerRun(200, func() {
			v.FS.GetAttr(nil, &gofuse.GetAttrIn{InHeader: header(5)}, &gofuse.AttrOut{})
		})
		data := make([]byte, 1<<18)
		read := &gofuse.ReadIn{InHeader: header(gofuse.FUSE_ROOT_ID)}
		listing := testing.AllocsPerRun(20, func() { v.FS.ReadDirPlus(nil, read, gofuse.NewDirEntryList(data, 0)) }) / 1003
		t.Logf("index %v: lookup %v, absent %v, getattr %v, listed entry %v", indexed, lookup, absent, attr, listing)
		if most := 3.0; indexed && (lookup > most || absent > most || attr > most+2 || listing > 0.02) {
			t.Error("too many allocations")
		}
	}
}

// TestForgedHeader: what an index was told of a file once is compared with the
// object that is verified, mode, owner and attributes alike, also when the file
// was read ahead.
func TestForgedHeader(t *testing.T) {
	right := object.Header{Mode: object.ModeRegular | 0o755, UID: 1, GID: 2, Size: 7, Xattrs: []object.Xattr{{Name: "user.a", Value: []byte("1")}}}
	for what, forge := range map[string]func(h *object.Header){
		"mode":   func(h *object.Header) { h.Mode |= 0o4000 },
		"owner":  func(h *object.Header) { h.UID = 0 },
		"group":  func(h *object.Header) { h.GID = 0 },
		"xattr":  func(h *object.Header) { h.Xattrs = []object.Xattr{{Name: "user.a", Value: []byte("2")}} },
		"xattrs": func(h *object.Header) { h.Xattrs = nil },
	} {
		m := newMemory(t)
		first, sum := m.file("first"), m.object(right, "content")
		root := m.tree(entries{"a": first, "b": sum})
		forged := right
		forge(&forged)
		m.setHeader(sum, forged)
		x := m.index(root)
		m.setHeader(sum, right)
		v := m.show(root, Options{})
		stale := 0
		v.UseIndex(x, func(error) { stale++ })
		v.wantRead(v.walk("a").NodeId, "first") // so that b is read ahead
		node := v.walk("b").NodeId
		for range 2 {
			v.wantBad(node)
		}
		if told := (*ToldError)(nil); stale != 1 || len(v.errs) != 1 || !errors.As(v.errs[0], &told) {
			t.Errorf("%s: stale %d times, reported %v", what, stale, v.errs)
		}
	}
}

// mapIndex maps the index of a directory from a file, whose path it returns.
func (m *memory) mapIndex(root directory) (x *index.Index, path string) {
	m.t.Helper()
	data, err := index.Build(context.Background(), checked{m}, index.Root{Tree: root.tree, Meta: root.meta}, 0)
	if err != nil {
		m.t.Fatal(err)
	}
	path = filepath.Join(m.t.TempDir(), "index")
	if err := os.WriteFile(path, data, 0o644); err != nil {
		m.t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		m.t.Fatal(err)
	}
	defer f.Close()
	mapped, err := unix.Mmap(int(f.Fd()), 0, len(data), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() { unix.Munmap(mapped) })
	if x, err = index.Parse(mapped); err != nil {
		m.t.Fatal(err)
	}
	return x, path
}

// TestCutIndex cuts the index so that a file's object is still found, and what
// it is compared with is not: the file is given back, the answer comes from
// objects, and the reason is told once.
func TestCutIndex(t *testing.T) {
	m := newMemory(t)
	list := entries{}
	for i := range 300 {
		list[fmt.Sprintf("%04d", i)] = m.file(fmt.Sprint("content ", i))
	}
	root := m.tree(list)
	x, path := m.mapIndex(root)
	v := m.show(root, Options{})
	var why []error
	v.UseIndex(x, func(err error) { why = append(why, err) })
	node := v.walk("0000").NodeId
	e, err := v.entry(rowOf(node))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 8192); err != nil {
		t.Fatal(err)
	}
	if !fault.Catch(func() { v.content(rowOf(node), &e, false) }) {
		t.Error("the index could be read")
	}
	if n := m.opens.Load(); n != 1 {
		t.Errorf("%d contents were opened", n)
	}
	v.files.Close() // closes what nobody uses
	links, err := filepath.Glob("/proc/self/fd/*")
	if err != nil || len(links) == 0 {
		t.Fatal("no descriptors: ", err)
	}
	for _, link := range links {
		if target, _ := os.Readlink(link); target == m.path(list["0000"].(object.Checksum)) {
			t.Errorf("%s is held", target)
		}
	}
	v.wantRead(node, "content 0")
	if len(why) != 1 || why[0] != errCut {
		t.Errorf("dropped for %v", why)
	}
}

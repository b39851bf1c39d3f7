package fs

import (
	"fmt"
	iofs "io/fs"
	"strings"
	"sync"
	"testing"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
)

// shelves are names by directory, which may be changed.
type shelves struct {
	mu   sync.Mutex
	dirs map[string][]Name
}

func (s *shelves) List(dir string) ([]Name, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list, ok := s.dirs[dir]
	if !ok {
		return nil, iofs.ErrNotExist
	}
	return append([]Name{}, list...), nil
}

func (s *shelves) Find(dir, name string) (Name, error) {
	list, err := s.List(dir)
	for _, n := range list {
		if n.Name == name {
			return n, nil
		}
	}
	if err == nil {
		err = iofs.ErrNotExist
	}
	return Name{}, err
}

func (s *shelves) set(dir string, names ...Name) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dirs[dir] = names
}

// commit stores a commit of a tree.
func (m *memory) commit(root directory, subject string) object.Checksum {
	return m.put(object.KindCommit, gvariant.NewTuple(gvariant.NewArray("{sv}"), gvariant.NewBytes(nil), gvariant.NewArray("(say)"),
		gvariant.NewString(subject), gvariant.NewString(""), gvariant.NewUint64(0),
		gvariant.NewBytes(root.tree[:]), gvariant.NewBytes(root.meta[:])).Bytes())
}

// shelved is a view of names: two commits of one tree, and a name of each kind.
func shelved(t *testing.T, opts Options) (m *memory, s *shelves, v *view, sums []string) {
	m = newMemory(t)
	root := sampleTree(m)
	for _, subject := range []string{"one", "two"} {
		sums = append(sums, m.commit(root, subject).String())
	}
	s = &shelves{dirs: map[string][]Name{}}
	s.set("", Name{Name: "commits", Kind: NameDir}, Name{Name: "refs", Kind: NameDir})
	s.set("commits", Name{Name: sums[0], Kind: NameCommit}, Name{Name: sums[1], Kind: NameCommit})
	s.set("refs", Name{Name: "os", Kind: NameDir}, Name{Name: "note", Kind: NameFile, Value: "text\n"})
	s.set("refs/os", Name{Name: "main", Kind: NameLink, Value: "../../commits/" + sums[0]})
	opts.Names, opts.NamesUID = s, 5
	return m, s, m.show(directory{}, opts), sums
}

func TestNames(t *testing.T) {
	_, _, v, sums := shelved(t, Options{})
	for path, want := range map[string]attributes{
		"refs":               {object.ModeDir | 0o555, 5, 0, 2, 4096, 8},
		"refs/os/main":       {object.ModeSymlink | 0o777, 5, 0, 1, 14 + 64, 0},
		"refs/note":          {object.ModeRegular | 0o444, 5, 0, 1, 5, 8},
		"commits/" + sums[0]: {object.ModeDir | 0o755, 0, 0, 4, 4096, 8},
		"commits/" + sums[1]: {object.ModeDir | 0o755, 0, 0, 4, 4096, 8},
	} {
		out := v.walk(path)
		if got := shown(out.Attr); got != want {
			t.Errorf("%s: %+v, want %+v", path, got, want)
		}
		if attr, status := v.getAttr(out.NodeId); !status.Ok() || attr.Attr != out.Attr {
			t.Errorf("%s by its node: %+v, %v, want %+v", path, attr.Attr, status, out.Attr)
		}
		if kept := out.EntryValid; kept != 0 && path != "refs" {
			t.Errorf("%s is kept for %d s", path, kept)
		}
	}
	main := v.walk("refs/os/main")
	in := header(main.NodeId)
	if target, status := v.Readlink(nil, &in); !status.Ok() || string(target) != "../../commits/"+sums[0] {
		t.Errorf("refs/os/main leads to %q, %v", target, status)
	}
	v.wantRead(v.walk("refs/note").NodeId, "text\n")
	v.wantRead(v.walk("commits/"+sums[0]+"/bin/sudo").NodeId, "#!/bin/sh\n")
	for _, path := range []string{"absent", "refs/absent", "refs/os/absent", "commits/" + strings.Repeat("0", 64)} {
		dir, name := "", path
		node := uint64(gofuse.FUSE_ROOT_ID)
		if i := strings.LastIndexByte(path, '/'); i > 0 {
			dir, name = path[:i], path[i+1:]
			node = v.walk(dir).NodeId
		}
		if _, status := v.tryLookup(node, name); status != gofuse.ENOENT {
			t.Errorf("%s: %v", path, status)
		}
	}
	v.wantReports()
}

// TestNamesApart: one path of two commits, and one name of two commits, are two
// inodes.
func TestNamesApart(t *testing.T) {
	_, s, v, sums := shelved(t, Options{})
	seen := map[uint64]string{}
	note := func(path string) gofuse.EntryOut {
		out := v.walk(path)
		if other, ok := seen[out.Ino]; ok {
			t.Errorf("%s has the inode of %s", path, other)
		}
		seen[out.Ino] = path
		return out
	}
	for _, path := range []string{"commits/" + sums[0], "commits/" + sums[0] + "/bin/sudo", "commits/" + sums[1], "commits/" + sums[1] + "/bin/sudo"} {
		note(path)
	}
	old := note("refs/os/main")
	s.set("refs/os", Name{Name: "main", Kind: NameLink, Value: "../../commits/" + sums[1]})
	next := note("refs/os/main")
	if next.NodeId == old.NodeId {
		t.Error("a ref that has moved is the same node")
	}
	in := header(old.NodeId)
	if target, status := v.Readlink(nil, &in); !status.Ok() || string(target) != "../../commits/"+sums[0] {
		t.Errorf("a link that is held leads to %q, %v, now", target, status)
	}
}

// TestNamesGo: what has gone, or is another file by now, is stale; that is no
// damage to report.
func TestNamesGo(t *testing.T) {
	_, s, v, _ := shelved(t, Options{})
	node := v.walk("refs/note").NodeId
	for i, names := range [][]Name{{}, {{Name: "note", Kind: NameFile, Value: "news\n"}}, {{Name: "note", Kind: NameDir}}} {
		s.set("refs", names...)
		if text, status := v.read(node, 100, 0); status != gofuse.Status(unix.ESTALE) {
			t.Errorf("%d: read %q, %v", i, text, status)
		}
	}
	s.set("refs", Name{Name: "note", Kind: NameFile, Value: "text\n"})
	v.wantRead(node, "text\n")
	dir := v.walk("refs").NodeId
	delete(s.dirs, "refs")
	if _, _, status := v.list(dir, 4096); status != gofuse.ENOENT {
		t.Errorf("list of a directory that has gone: %v", status)
	}
	v.wantReports()
}

// TestNamesListed: however small the steps, and whatever comes and goes between
// them, also the server: what is there all the time is listed once.
func TestNamesListed(t *testing.T) {
	m, s, v, _ := shelved(t, Options{})
	const stay = 300
	names := func(round int) (list []Name) {
		for i := range stay {
			list = append(list, Name{Name: fmt.Sprint("stays", (i*37+round)%stay), Kind: NameLink, Value: fmt.Sprint(i%7, round%3)})
		}
		for i := range max(0, 20-round) { // in the end none comes, or the list would have no end
			list = append(list, Name{Name: fmt.Sprint("comes", round, i), Kind: NameLink, Value: "x"})
		}
		return list
	}
	s.set("refs", names(0)...)
	dir := v.walk("refs").NodeId
	seen := map[string]int{}
	for offset, round := uint64(0), 1; ; round++ {
		buf := gofuse.NewDirEntryList(make([]byte, 4096), offset)
		in := &gofuse.ReadIn{InHeader: header(dir), Offset: offset, Size: 4096}
		if status := v.FS.ReadDirPlus(nil, in, buf); !status.Ok() {
			t.Fatal(status)
		}
		some, outs, err := gofuse.ParseDirLookupEntries(buf.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if len(some) == 0 {
			break
		}
		for i, e := range some {
			seen[e.Name]++
			if outs[i].NodeId != 0 {
				t.Errorf("%s: attributes come with the list", e.Name)
			}
		}
		offset = some[len(some)-1].Off
		if round > 100 {
			t.Fatalf("the list has no end: %d entries, then offset %d", len(seen), offset)
		}
		s.set("refs", names(round)...)
		v = m.againWith(v, directory{}, Options{Names: s})
	}
	for i := range stay {
		if n := seen[fmt.Sprint("stays", i)]; n != 1 {
			t.Errorf("stays%d is listed %d times", i, n)
		}
	}
	if seen["."] != 1 || seen[".."] != 1 {
		t.Errorf("%d and %d dots", seen["."], seen[".."])
	}
}

// TestNamesResumed: the next server knows the same nodes.
func TestNamesResumed(t *testing.T) {
	m, s, v, sums := shelved(t, Options{})
	paths := []string{"refs", "refs/os/main", "refs/note", "commits/" + sums[0], "commits/" + sums[0] + "/bin/sudo"}
	var before []gofuse.EntryOut
	for _, path := range paths {
		before = append(before, v.walk(path))
	}
	v = m.againWith(v, directory{}, Options{Names: s, NamesUID: 5})
	for i, path := range paths {
		if attr, status := v.getAttr(before[i].NodeId); !status.Ok() || attr.Attr != before[i].Attr {
			t.Errorf("%s by its node: %+v, %v, want %+v", path, attr.Attr, status, before[i].Attr)
		}
		if got := v.walk(path); got != before[i] {
			t.Errorf("%s was %+v, is %+v", path, before[i], got)
		}
	}
	v.wantRead(before[2].NodeId, "text\n")
	v.wantRead(before[4].NodeId, "#!/bin/sh\n")
}

// TestNamesDamage: a commit that is absent or damaged is an input/output error,
// and so is what is in its tree; its neighbours are not touched.
func TestNamesDamage(t *testing.T) {
	m, _, v, sums := shelved(t, Options{})
	whole := v.walk("commits/" + sums[1] + "/bin/sudo").NodeId
	sum, err := object.ParseChecksum(sums[0])
	if err != nil {
		t.Fatal(err)
	}
	name := object.Name{Checksum: sum, Kind: object.KindCommit}
	dir := v.walk("commits").NodeId
	m.remove(name)
	_, status := v.tryLookup(dir, sums[0])
	v.wantEIO("lookup of a commit without an object", status)
	m.set(name, []byte("no commit"))
	_, status = v.tryLookup(dir, sums[0])
	v.wantEIO("lookup of a damaged commit", status)
	v.wantRead(whole, "#!/bin/sh\n")
}

// TestNamesOpened: the kernel keeps no list of names, and may keep those of
// trees; files are opened whatever the way to content is.
func TestNamesOpened(t *testing.T) {
	for what, opts := range map[string]Options{"cached": {}, "always": {Verify: VerifyAlways}} {
		_, _, v, sums := shelved(t, opts)
		for path, want := range map[string]uint32{"refs": 0, "commits": 0, "commits/" + sums[0] + "/bin": gofuse.FOPEN_KEEP_CACHE | gofuse.FOPEN_CACHE_DIR} {
			var out gofuse.OpenOut
			status := v.FS.OpenDir(nil, &gofuse.OpenIn{InHeader: header(v.walk(path).NodeId)}, &out)
			if !status.Ok() || out.OpenFlags != want {
				t.Errorf("%s: opendir of %s: %v, flags %#x", what, path, status, out.OpenFlags)
			}
		}
		if status := v.open(v.walk("refs/note").NodeId); !status.Ok() && status != gofuse.ENOSYS {
			t.Errorf("%s: open: %v", what, status)
		}
	}
	_, _, v, _ := shelved(t, Options{})
	v.UsePassthrough(&registrar{})
	node := v.walk("refs/note").NodeId
	var out gofuse.OpenOut
	status := v.FS.Open(nil, &gofuse.OpenIn{InHeader: header(node)}, &out)
	if !status.Ok() || out.OpenFlags&gofuse.FOPEN_PASSTHROUGH != 0 || out.Fh == 0 {
		t.Errorf("passthrough: open: %v, %+v", status, out)
	}
	v.wantRead(node, "text\n")
}

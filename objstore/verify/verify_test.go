package verify

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"deployfs/objstore"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
	"deployfs/objstore/tree"
)

// store is a repository in the making.
type store struct {
	t    testing.TB
	path string
	meta object.Checksum // of every directory
}

func newStore(t testing.TB) *store {
	s := &store{t: t, path: t.TempDir()}
	s.write("config", "[core]\nrepo_version=1\nmode=bare-user-only\n")
	s.meta = s.put(object.KindDirMeta, object.DirMeta{Mode: object.ModeDir | 0o755}.Encode())
	return s
}

func (s *store) write(name, text string) {
	s.t.Helper()
	path := filepath.Join(s.path, name)
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err == nil {
		err = os.WriteFile(path, []byte(text), 0o644)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

func objectPath(name object.Name) string {
	sum := name.Checksum.String()
	return "objects/" + sum[:2] + "/" + sum[2:] + "." + name.Kind.String()
}

func (s *store) put(kind object.Kind, data []byte) object.Checksum {
	s.t.Helper()
	sum := object.Checksum(sha256.Sum256(data))
	s.write(objectPath(object.Name{Checksum: sum, Kind: kind}), string(data))
	return sum
}

// file is a content object.
func (s *store) file(text string) object.Checksum {
	s.t.Helper()
	h := object.Header{Mode: object.ModeRegular | 0o644}
	sum := object.Checksum(sha256.Sum256(append(h.Hashed(), text...)))
	s.write(objectPath(object.Name{Checksum: sum, Kind: object.KindFile}), text)
	return sum
}

type names map[string]object.Checksum

// dir is a dirtree.
func (s *store) dir(files, dirs names) object.Checksum {
	s.t.Helper()
	list := func(from names, more ...gvariant.Value) (entries []gvariant.Value) {
		var sorted []string
		for name := range from {
			sorted = append(sorted, name)
		}
		slices.Sort(sorted)
		for _, name := range sorted {
			sum := from[name]
			members := append([]gvariant.Value{gvariant.NewString(name), gvariant.NewBytes(sum[:])}, more...)
			entries = append(entries, gvariant.NewTuple(members...))
		}
		return entries
	}
	data := gvariant.NewTuple(gvariant.NewArray("(say)", list(files)...),
		gvariant.NewArray("(sayay)", list(dirs, gvariant.NewBytes(s.meta[:]))...))
	return s.put(object.KindDirTree, data.Bytes())
}

func (s *store) commit(root object.Checksum) object.Checksum {
	s.t.Helper()
	text := gvariant.NewString("")
	return s.put(object.KindCommit, gvariant.NewTuple(gvariant.NewArray("{sv}"), gvariant.NewBytes(nil), gvariant.NewArray("(say)"),
		text, text, gvariant.NewUint64(0), gvariant.NewBytes(root[:]), gvariant.NewBytes(s.meta[:])).Bytes())
}

func (s *store) remove(kind object.Kind, sum object.Checksum) {
	s.t.Helper()
	if err := os.Remove(filepath.Join(s.path, objectPath(object.Name{Checksum: sum, Kind: kind}))); err != nil {
		s.t.Fatal(err)
	}
}

func (s *store) open() *objstore.Repo {
	s.t.Helper()
	repo, err := objstore.Open(s.path)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { repo.Close() })
	return repo
}

// check returns the problems as "KIND PATH OBJECTKIND", sorted.
func (s *store) check(commit object.Checksum, path string) (*Count, []string, error) {
	s.t.Helper()
	count, found := new(Count), []string{}
	err := Check(context.Background(), s.open(), commit, path, count, func(p Problem) {
		if p.Reason() == "" {
			s.t.Errorf("%+v: no reason", p)
		}
		found = append(found, fmt.Sprint(p.Kind, " ", p.Path, " ", p.Object.Kind))
	})
	slices.Sort(found)
	return count, found, err
}

// sample is a tree of two directories and four distinct files.
func (s *store) sample() (commit, bin, tool object.Checksum) {
	s.t.Helper()
	tool = s.file("tool")
	bin = s.dir(names{"tool": tool, "again": tool, "other": s.file("other")}, nil)
	usr := s.dir(nil, names{"bin": bin, "sbin": bin})
	return s.commit(s.dir(names{"a": s.file("a"), "empty": s.file("")}, names{"usr": usr})), bin, tool
}

func TestCheck(t *testing.T) {
	for name, c := range map[string]struct {
		do      func(s *store, bin, tool object.Checksum)
		path    string
		objects int64
		want    string
	}{
		"intact":                {func(*store, object.Checksum, object.Checksum) {}, "/", 1 + 3 + 4, ""},
		"a directory":           {func(*store, object.Checksum, object.Checksum) {}, "usr/sbin", 1 + 1 + 2, ""},
		"a file":                {func(*store, object.Checksum, object.Checksum) {}, "/usr/bin/tool", 1, ""},
		"a file is absent":      {func(s *store, _, tool object.Checksum) { s.remove(object.KindFile, tool) }, "/", 8, "absent /usr/bin/again file"},
		"elsewhere":             {func(s *store, _, tool object.Checksum) { s.remove(object.KindFile, tool) }, "/usr/bin/other", 1, ""},
		"a file is a directory": {func(s *store, _, tool object.Checksum) { s.replace(tool) }, "/", 8, "damaged /usr/bin/again file"},
		"a directory is gone":   {func(s *store, bin, _ object.Checksum) { s.remove(object.KindDirTree, bin) }, "/", 1 + 3 + 2, "absent /usr/bin dirtree"},
		"on the way":            {func(s *store, bin, _ object.Checksum) { s.remove(object.KindDirTree, bin) }, "/usr/bin/tool", 1, "absent /usr/bin/tool dirtree"},
		"a dirmeta is bad": {func(s *store, _, _ object.Checksum) {
			s.write(objectPath(object.Name{Checksum: s.meta, Kind: object.KindDirMeta}), "x")
		}, "/", 8, "damaged / dirmeta"},
	} {
		s := newStore(t)
		commit, bin, tool := s.sample()
		c.do(s, bin, tool)
		count, found, err := s.check(commit, c.path)
		got := strings.Join(found, ", ")
		want := 1 + c.objects // and the commit
		if err != nil || got != c.want || count.Objects.Load() != want || count.Bad.Load() != int64(len(found)) {
			t.Errorf("%s: %q of %d objects, %v; want %q of %d", name, got, count.Objects.Load(), err, c.want, want)
		}
	}
}

// replace makes an object a directory.
func (s *store) replace(sum object.Checksum) {
	s.t.Helper()
	s.remove(object.KindFile, sum)
	s.write(objectPath(object.Name{Checksum: sum, Kind: object.KindFile})+"/x", "")
}

func TestNowhere(t *testing.T) {
	s := newStore(t)
	commit, _, _ := s.sample()
	for _, path := range []string{"/nope", "/a/b"} {
		var nowhere *tree.Error
		if _, found, err := s.check(commit, path); !errors.As(err, &nowhere) || len(found) > 0 {
			t.Errorf("%s: %v, %q", path, err, found)
		}
	}
	s.remove(object.KindCommit, commit)
	if _, found, err := s.check(commit, "/nope"); err != nil || strings.Join(found, ", ") != "absent / commit" {
		t.Errorf("%v, %q", err, found)
	}
}

// TestShared walks 2^60 paths that lead to few directories.
func TestShared(t *testing.T) {
	s := newStore(t)
	top := s.dir(names{"f": s.file("f")}, nil)
	for range 60 {
		top = s.dir(nil, names{"a": top, "b": top})
	}
	count, found, err := s.check(s.commit(top), "/")
	if err != nil || len(found) > 0 || count.Objects.Load() != 1+61+1+1 {
		t.Errorf("%d objects, %q, %v", count.Objects.Load(), found, err)
	}
}

// TestLimits begins where a walk is nearly as deep, or holds nearly as much, as it may.
func TestLimits(t *testing.T) {
	s := newStore(t)
	root := s.dir(nil, names{"d": s.dir(nil, names{"e": s.dir(names{"f": s.file("f")}, nil)})})
	for reason, start := range map[error]walk{
		errDeep: {stack: make([]level, maxDepth-1)},
		errHeld: {held: maxHeld - 100},
	} {
		var found []string
		c := &checker{src: s.open(), count: new(Count), report: func(p Problem) { found = append(found, p.Path+" "+p.Reason()) }}
		w := newWalk(context.Background(), c, make(chan entry, 10))
		w.stack, w.held = start.stack, start.held
		w.run(tree.Entry{Path: "/", Tree: root, Meta: s.meta})
		if want := "/d " + reason.Error(); !slices.Equal(found, []string{want}) {
			t.Errorf("%q, want %q", found, want)
		}
	}
}

// TestForgetting has room for less than there is: files are checked, some twice,
// and too many directories are said.
func TestForgetting(t *testing.T) {
	s := newStore(t)
	files := names{}
	for i := range 50 {
		files[fmt.Sprint(i)] = s.file(fmt.Sprint(i))
	}
	s.remove(object.KindFile, files["49"])
	root := s.dir(files, names{"a": s.dir(files, nil), "b": s.dir(nil, nil), "c": s.dir(nil, names{"d": s.dir(nil, nil)})})
	count := new(Count)
	found := map[string]int{}
	c := &checker{src: s.open(), count: count, report: func(p Problem) { found[p.Reason()]++ }}
	queue := make(chan entry, 1000)
	w := newWalk(context.Background(), c, queue)
	w.known = 3
	w.run(tree.Entry{Path: "/", Tree: root, Meta: s.meta})
	close(queue)
	met := map[object.Checksum]bool{}
	for e := range queue {
		met[e.name.Checksum] = true
	}
	if len(met) != len(files) || len(w.contents) > 3 || len(w.metas) > 3 {
		t.Errorf("%d files met, %d and %d held", len(met), len(w.contents), len(w.metas))
	}
	if len(found) != 1 || found[errMany.Error()] != 1 {
		t.Error(found)
	}
}

func TestCancel(t *testing.T) {
	s := newStore(t)
	commit, _, _ := s.sample()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	count := new(Count)
	err := Check(ctx, s.open(), commit, "/", count, func(p Problem) { t.Error(p) })
	if !errors.Is(err, context.Canceled) || count.Objects.Load() > 4 {
		t.Errorf("%v after %d objects", err, count.Objects.Load())
	}
}

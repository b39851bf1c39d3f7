package checkout

import (
	"bytes"
	"compress/flate"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
)

// store is an archive repository in the making.
type store struct {
	t    testing.TB
	path string
	meta object.Checksum // of every directory
}

func newStore(t testing.TB) *store {
	s := &store{t: t, path: t.TempDir()}
	s.write("config", []byte("[core]\nrepo_version=1\nmode=archive\nfsync=false\n"))
	s.meta = s.put(object.KindDirMeta, object.DirMeta{UID: uint32(os.Getuid()), GID: uint32(os.Getgid()), Mode: object.ModeDir | 0o755}.Encode())
	return s
}

func (s *store) write(name string, data []byte) {
	s.t.Helper()
	path := filepath.Join(s.path, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, data, 0o644)); err != nil {
		s.t.Fatal(err)
	}
}

func (s *store) object(sum object.Checksum, suffix string, data []byte) object.Checksum {
	s.write("objects/"+sum.String()[:2]+"/"+sum.String()[2:]+"."+suffix, data)
	return sum
}

func (s *store) put(kind object.Kind, data []byte) object.Checksum {
	return s.object(sha256.Sum256(data), kind.String(), data)
}

// file is a content object.
func (s *store) file(mode uint32, text string) object.Checksum {
	h := object.Header{UID: uint32(os.Getuid()), GID: uint32(os.Getgid()), Mode: mode}
	data := new(bytes.Buffer)
	if mode&object.ModeType == object.ModeSymlink {
		h.Target, text = text, ""
		data.Write(h.EncodeFilez())
	} else {
		h.Size = uint64(len(text))
		data.Write(h.EncodeFilez())
		w, _ := flate.NewWriter(data, 6)
		w.Write([]byte(text))
		w.Close()
	}
	return s.object(sha256.Sum256(append(h.Hashed(), text...)), "filez", data.Bytes())
}

type names map[string]object.Checksum

func (s *store) dir(files, dirs names) object.Checksum {
	list := func(from names, more ...gvariant.Value) (entries []gvariant.Value) {
		var sorted []string
		for name := range from {
			sorted = append(sorted, name)
		}
		slices.Sort(sorted)
		for _, name := range sorted {
			sum := from[name]
			entries = append(entries, gvariant.NewTuple(append([]gvariant.Value{gvariant.NewString(name), gvariant.NewBytes(sum[:])}, more...)...))
		}
		return entries
	}
	return s.put(object.KindDirTree, gvariant.NewTuple(gvariant.NewArray("(say)", list(files)...),
		gvariant.NewArray("(sayay)", list(dirs, gvariant.NewBytes(s.meta[:]))...)).Bytes())
}

func (s *store) commit(root object.Checksum) object.Checksum {
	text := gvariant.NewString("")
	return s.put(object.KindCommit, gvariant.NewTuple(gvariant.NewArray("{sv}"), gvariant.NewBytes(nil), gvariant.NewArray("(say)"),
		text, text, gvariant.NewUint64(0), gvariant.NewBytes(root[:]), gvariant.NewBytes(s.meta[:])).Bytes())
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

// sample is a tree of a few files, and one directory of many.
func (s *store) sample() object.Checksum {
	many := names{}
	for i := range 200 {
		many[fmt.Sprintf("f%03d", i)] = s.file(object.ModeRegular|0o644, fmt.Sprint("file ", i%7))
	}
	deep := s.dir(nil, nil)
	for range 20 {
		deep = s.dir(names{"f": many["f001"]}, names{"d": deep})
	}
	files := names{"empty": s.file(object.ModeRegular|0o600, ""), "link": s.file(object.ModeSymlink|0o777, "nowhere"), "dark": s.file(object.ModeRegular|0o4200, "dark")}
	return s.commit(s.dir(files, names{"many": s.dir(many, nil), "deep": deep}))
}

// listed is what lies below dir, a line each.
func listed(t testing.TB, dir string) (lines []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		var st unix.Stat_t
		if err := unix.Lstat(path, &st); err != nil {
			return err
		}
		text, _ := os.ReadFile(path)
		lines = append(lines, fmt.Sprintf("%s %o %d %q", strings.TrimPrefix(path, dir), st.Mode, st.Nlink, text))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

func TestTree(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	commit, repo, dest := s.sample(), s.open(), t.TempDir()+"/x"
	count := new(Count)
	if err := Tree(context.Background(), repo, commit, dest, Options{Count: count}); err != nil {
		t.Fatal(err)
	}
	got := listed(t, dest)
	for _, want := range []string{"/dark 104200 1 \"dark\"", "/empty 100600 1 \"\"", "/link 120777 1 \"\"", "/many/f199 100644 1 \"file 3\""} {
		if !slices.Contains(got, want) && os.Getuid() == 0 {
			t.Errorf("no %s", want)
		}
	}
	if want := 1 + 3 + 1 + 200 + 21 + 20; len(got) != want || count.Entries.Load() != int64(want) {
		t.Errorf("%d entries, %d counted, want %d", len(got), count.Entries.Load(), want)
	}
	if info, _ := os.Stat(dest + "/many"); info.ModTime().Unix() != 0 {
		t.Errorf("directory of %s", info.ModTime())
	}
	if err := Tree(context.Background(), repo, commit, dest, Options{}); !errors.Is(err, unix.EEXIST) || err.Error() != "mkdirat: File exists" {
		t.Errorf("over what is there: %v", err)
	}
}

// TestFailures leave nothing of a new destination.
func TestFailures(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	sample := s.sample()
	repo := s.open()
	absent := s.commit(s.dir(names{"a": s.file(object.ModeRegular|0o644, "a"), "b": {1}}, names{"d": s.dir(nil, nil)}))
	bad := s.file(object.ModeRegular|0o644, "bad")
	s.object(bad, "filez", []byte("junk"))
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	for what, c := range map[string]struct {
		ctx     context.Context
		commit  object.Checksum
		options Options
		want    string
	}{
		"an absent file":   {context.Background(), absent, Options{}, "Couldn't find file object"},
		"a bad file":       {context.Background(), s.commit(s.dir(names{"x": bad}, nil)), Options{}, "corrupted object"},
		"an absent tree":   {context.Background(), s.commit(s.dir(nil, names{"d": {2}})), Options{}, "No such metadata object"},
		"a canceled one":   {canceled, sample, Options{}, "context canceled"},
		"links":            {context.Background(), sample, Options{Links: LinkAlways}, "cannot hardlink"},
		"a path":           {context.Background(), sample, Options{Subpath: "/nope"}, "No such file or directory: /nope"},
		"a file, absent":   {context.Background(), absent, Options{Subpath: "/b"}, "Couldn't find file object"},
		"an absent commit": {context.Background(), object.Checksum{3}, Options{}, "No such metadata object"},
	} {
		dir := t.TempDir()
		err := Tree(c.ctx, repo, c.commit, dir+"/x", c.options)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", what, err, c.want)
		}
		if left := listed(t, dir); len(left) != 1 {
			t.Errorf("%s: left %q", what, left)
		}
	}
}

// TestDescriptors: a checkout closes what it opens, also when it fails.
func TestDescriptors(t *testing.T) {
	s := newStore(t)
	good, bad := s.sample(), s.commit(s.dir(nil, names{"a": s.dir(nil, names{"b": s.dir(names{"x": {1}}, nil)})}))
	repo, dir := s.open(), t.TempDir()
	before := descriptors(t)
	for i := range 10 {
		if err := Tree(context.Background(), repo, good, fmt.Sprintf("%s/%d", dir, i), Options{User: true, Cache: true}); err != nil {
			t.Fatal(err)
		}
		if Tree(context.Background(), repo, bad, dir+"/bad", Options{}) == nil {
			t.Fatal("no error")
		}
	}
	if after := descriptors(t); after > before {
		t.Errorf("%d descriptors, %d before", after, before)
	}
}

func descriptors(t testing.TB) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// TestCache: what is inflated in user mode is linked from then on, and made anew when it is not whole.
func TestCache(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	commit, repo, dir := s.sample(), s.open(), t.TempDir()
	check := func(name string) {
		t.Helper()
		if err := Tree(context.Background(), repo, commit, dir+"/"+name, Options{User: true, Cache: true}); err != nil {
			t.Fatal(err)
		}
		if text, err := os.ReadFile(dir + "/" + name + "/many/f000"); string(text) != "file 0" {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
	check("a")
	cached, _ := filepath.Glob(s.path + "/" + cacheName + "/??/*.file")
	if len(cached) != 7 {
		t.Fatalf("%d files in the cache, want 7: %q", len(cached), cached)
	}
	check("b")
	for _, file := range cached {
		if err := errors.Join(os.Remove(file), os.WriteFile(file, nil, 0o644)); err != nil { // as a crash may leave it
			t.Fatal(err)
		}
	}
	check("c")
	check("d")
	var c, d unix.Stat_t
	if unix.Stat(dir+"/c/many/f000", &c); unix.Stat(dir+"/d/many/f000", &d) != nil || c.Ino != d.Ino {
		t.Error("the cache is not used again")
	}
}

// TestAt checks out below an open directory, and into it.
func TestAt(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	commit, repo, dir := s.sample(), s.open(), t.TempDir()
	fd, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	ctx := context.Background()
	err = errors.Join(At(ctx, repo, commit, fd, "x", Options{Subpath: "many", Sync: true}), At(ctx, repo, commit, fd, ".", Options{Subpath: "/link"}),
		At(ctx, repo, commit, fd, ".", Options{Subpath: "/deep/d", Overwrite: Keep}))
	if got := listed(t, dir); err != nil || len(got) != 1+201+1+38 {
		t.Errorf("%d entries, %v", len(got), err)
	}
}

// TestOpaque: a commit that is opaque as a whole comes instead of the destination, at once; when it can't,
// the destination stays.
func TestOpaque(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	file := s.file(object.ModeRegular|0o644, "new")
	good := s.commit(s.dir(names{opaqueWhiteout: file, "new": file}, nil))
	bad := s.commit(s.dir(names{opaqueWhiteout: file, "new": {1}}, nil))
	repo, ctx := s.open(), context.Background()
	for _, c := range []struct {
		commit     object.Checksum
		name, want string
	}{
		{bad, "x", "Couldn't find file object"}, {good, "x/.", "unlinkat(.): Invalid argument"}, {good, "x", ""},
	} {
		for _, overwrite := range []Overwrite{Refuse, Replace, Keep} {
			dir := t.TempDir()
			if err := errors.Join(os.MkdirAll(dir+"/x/d", 0o755), os.WriteFile(dir+"/x/d/old", nil, 0o644)); err != nil {
				t.Fatal(err)
			}
			err := Tree(ctx, repo, c.commit, dir+"/"+c.name, Options{Whiteouts: true, Overwrite: overwrite})
			_, old := os.Stat(dir + "/x/d/old")
			_, made := os.Stat(dir + "/x/new")
			if c.want == "" && (err != nil || old == nil || made != nil) || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || old != nil) {
				t.Errorf("%s: %v, old: %v, new: %v", c.name, err, old, made)
			}
			if left, _ := os.ReadDir(dir); len(left) != 1 {
				t.Errorf("%s: left %v", c.name, left)
			}
		}
	}
}

// TestRemoveAll removes what its owner can't read, and follows no link.
func TestRemoveAll(t *testing.T) {
	t.Parallel()
	dir, outside := t.TempDir(), t.TempDir()
	err := errors.Join(os.MkdirAll(dir+"/x/a/b/c", 0o755), os.WriteFile(outside+"/f", nil, 0o644), os.Symlink(outside, dir+"/x/a/link"),
		os.Chmod(dir+"/x/a/b", 0), os.Chmod(dir+"/x/a", 0o500), os.Chmod(dir+"/x", 0o100))
	if err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	for range 2 { // the second time nothing is there
		if err := objstore.RemoveAll(fd, "x"); err != nil {
			t.Error(err)
		}
	}
	if left := listed(t, dir); len(left) != 1 {
		t.Errorf("left %q", left)
	}
	if left := listed(t, outside); len(left) != 2 {
		t.Errorf("outside %q", left)
	}
}

// TestDepth checks out as deep as directories may be, and no deeper; no descriptor is left.
func TestDepth(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	top := s.dir(nil, nil)
	for range maxDepth {
		top = s.dir(nil, names{"d": top})
	}
	dir := t.TempDir()
	err := Tree(context.Background(), s.open(), s.commit(top), dir+"/x", Options{})
	if err == nil || !strings.Contains(err.Error(), "directories deep") {
		t.Errorf("%v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}

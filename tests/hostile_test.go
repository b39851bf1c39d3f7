package tests

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// hostileTree mounts a tree that holds, beside a good file and a good directory, the given bad
// entries of its root, and checks afterwards that the good ones are still served.
func hostileTree(t *testing.T, f forge, files map[string]string, dirs []gv, options ...string) *foreground {
	t.Helper()
	files["good"] = f.file(plainFile, []byte("good bytes\n"))
	good := f.dir(map[string]string{"good": files["good"]}, nil)
	dirs = append(dirs, gvDir("good.d", raw(good), raw(f.dirmeta())))
	slices.SortFunc(dirs, func(a, b gv) int { return bytes.Compare(a.data, b.data) })
	var list []gv
	for _, name := range slices.Sorted(maps.Keys(files)) {
		list = append(list, gvFile(name, raw(files[name])))
	}
	commit := f.commit(f.meta("dirtree", gvTree(list, dirs)), f.dirmeta())
	server := mountedForeground(t, append(options, "--repo="+f.repo, commit)...)
	t.Cleanup(func() { stillGood(t, server, len(list)+len(dirs)) })
	return server
}

// stillGood checks that the server lives and serves what is right, with the kernel's caches dropped.
func stillGood(t *testing.T, server *foreground, entries int) {
	t.Helper()
	if server.ended() {
		t.Error("the server died")
		return
	}
	dropCaches(t)
	for _, name := range []string{"/good", "/good.d/good"} {
		if data, err := os.ReadFile(server.dir + name); err != nil || string(data) != "good bytes\n" {
			t.Errorf("the good file %s beside bad ones: %q, %v", name, data, err)
		}
	}
	if all, err := readDirents(server.dir); err != nil || len(all) != entries {
		t.Errorf("listing the root beside bad entries: %d entries, %v; want %d", len(all), err, entries)
	}
}

// badTrees are dirtrees, each wrong in one way. ok is the checksum of a plain file, sub and meta
// those of an empty directory.
func badTrees(ok, sub, meta []byte) map[string][]byte {
	file := func(name string) gv { return gvFile(name, ok) }
	dir := func(name string) gv { return gvDir(name, sub, meta) }
	files := func(names ...string) []byte {
		var list []gv
		for _, name := range names {
			list = append(list, file(name))
		}
		return gvTree(list, nil)
	}
	right := files("x")
	bad := map[string][]byte{
		"unsorted":             files("b", "a"),
		"duplicate":            files("a", "a"),
		"unsorted-dirs":        gvTree(nil, []gv{dir("b"), dir("a")}),
		"duplicate-dir":        gvTree(nil, []gv{dir("a"), dir("a")}),
		"file-and-dir":         gvTree([]gv{file("a")}, []gv{dir("a")}),
		"csum-3":               gvTree([]gv{gvFile("a", ok[:3])}, nil),
		"csum-0":               gvTree([]gv{gvFile("a", nil)}, nil),
		"csum-33":              gvTree([]gv{gvFile("a", append(ok[:32:32], 0))}, nil),
		"dir-csum-3":           gvTree(nil, []gv{gvDir("a", sub[:3], meta)}),
		"dir-meta-csum-3":      gvTree(nil, []gv{gvDir("a", sub, meta[:3])}),
		"zero-length":          {},
		"one-byte":             {1},
		"bad-outer-offset":     append(right[:len(right)-1:len(right)-1], 0xf0),
		"bad-inner-offset":     append(append(right[:len(right)-2:len(right)-2], 0xf0), right[len(right)-1]),
		"slack":                append(append(right[:len(right)-1:len(right)-1], 0), right[len(right)-1]),
		"garbage":              noise(1, 1000),
		"garbage-large":        noise(2, 100000),
		"all-ff":               bytes.Repeat([]byte{0xff}, 300),
		"all-zero":             make([]byte, 70000),
		"good-then-bad-name":   files("a", "b/c", "d"),
		"name-without-nul":     gvTree([]gv{gvTuple(gvBytes([]byte("a")), gvBytes(ok))}, nil),
		"inner-nul":            files("a\x00b"),
		"trailing-nul":         files("a\x00"),
		"overlapping-elements": overlapping(ok),
	}
	for what, name := range map[string]string{"dotdot": "..", "dot": ".", "slash": "a/b", "absolute": "/etc", "dotdot-slash": "../x", "empty": "", "256": strings.Repeat("n", 256), "70000": strings.Repeat("n", 70000)} {
		bad["name-"+what] = files(name)
		bad["dir-name-"+what] = gvTree(nil, []gv{dir(name)})
	}
	return bad
}

// overlapping is a list of two files where the second ends before the first.
func overlapping(ok []byte) []byte {
	a, b := gvFile("a", ok).data, gvFile("b", ok).data
	body := append(append([]byte(nil), a...), b...)
	list := append(body, byte(len(body)), byte(len(a)))
	return append(list, byte(len(list)))
}

// TestHostileDirtrees refuses each bad dirtree alone: its directory answers EIO and one log line.
func TestHostileDirtrees(t *testing.T) {
	f := newForge(t)
	meta := f.dirmeta()
	ok, sub := f.file(plainFile, []byte("good bytes\n")), f.meta("dirtree", gvTree(nil, nil))
	trees := badTrees(raw(ok), raw(sub), raw(meta))
	var dirs []gv
	sums := map[string]string{}
	for what, data := range trees {
		sums[what] = f.meta("dirtree", data)
		dirs = append(dirs, gvDir(what, raw(sums[what]), raw(meta)))
	}
	server := hostileTree(t, f, map[string]string{}, dirs)
	for _, what := range slices.Sorted(maps.Keys(trees)) {
		dir := server.dir + "/" + what
		wantErrno(t, "readdir of "+what, listError(dir), unix.EIO)
		for _, name := range []string{"a", "b", "x", "c"} {
			if _, err := readEntry(dir + "/" + name); err == nil {
				t.Errorf("%s: %s can be reached", what, name)
			}
		}
		if lines := server.logged(sums[what], "/"+what); len(lines) != 1 {
			t.Errorf("%s: want one log line with %s and the path, got %q", what, sums[what], lines)
		}
	}
}

// TestHostileNamesAllowed shows names that are strange, not wrong. Bad UTF-8 may also be refused.
func TestHostileNamesAllowed(t *testing.T) {
	f := newForge(t)
	ok := f.file(plainFile, []byte("good bytes\n"))
	names := []string{"\x01\x02", "\n", "a\nb", strings.Repeat("n", 255), "\u202e", "-"}
	dirs := []gv{gvDir("odd", raw(f.dir(nameAll(names, ok), nil)), raw(f.dirmeta()))}
	dirs = append(dirs, gvDir("utf8", raw(f.dir(nameAll([]string{"bad\xff\xfe"}, ok), nil)), raw(f.dirmeta())))
	server := hostileTree(t, f, map[string]string{}, dirs)
	for _, name := range names {
		if data, err := os.ReadFile(server.dir + "/odd/" + name); err != nil || string(data) != "good bytes\n" {
			t.Errorf("%.20q: %q, %v", name, data, err)
		}
	}
	switch all, err := readDirents(server.dir + "/utf8"); {
	case err != nil:
		wantErrno(t, "readdir with bad UTF-8", err, unix.EIO)
	case len(all) != 1 || all[0].name != "bad\xff\xfe":
		t.Errorf("bad UTF-8 in a name: %+v", all)
	default:
		if data, err := os.ReadFile(server.dir + "/utf8/bad\xff\xfe"); err != nil || string(data) != "good bytes\n" {
			t.Errorf("bad UTF-8 in a name: %q, %v", data, err)
		}
	}
}

func nameAll(names []string, sum string) map[string]string {
	m := map[string]string{}
	for _, name := range names {
		m[name] = sum
	}
	return m
}

// TestHostileDirmetas refuses each bad dirmeta alone: its directory cannot be looked at.
func TestHostileDirmetas(t *testing.T) {
	f := newForge(t)
	const d = unix.S_IFDIR | 0o755
	right := gvMeta(d)
	metas := map[string][]byte{
		"regular":         gvMeta(unix.S_IFREG | 0o644),
		"link":            gvMeta(unix.S_IFLNK | 0o777),
		"no-type":         gvMeta(0o755),
		"high-bits":       gvMeta(1<<16 | d),
		"all-bits":        gvMeta(1<<32 - 1),
		"cut":             right[:11],
		"zero-length":     {},
		"slack":           append(right[:12:12], 0),
		"garbage":         noise(3, 500),
		"xattr-empty":     gvMeta(d, gvXattr("", "v")),
		"xattr-unsorted":  gvMeta(d, gvXattr("user.b", "v"), gvXattr("user.a", "v")),
		"xattr-duplicate": gvMeta(d, gvXattr("user.a", "v"), gvXattr("user.a", "w")),
		"xattr-no-nul":    gvMeta(d, gvTuple(gvBytes([]byte("user.a")), gvBytes([]byte("v")))),
		"xattr-256":       gvMeta(d, gvXattr("user."+strings.Repeat("n", 251), "v")),
		"xattr-large":     gvMeta(d, gvXattr("user.a", strings.Repeat("v", 65537))),
	}
	var dirs []gv
	tree := f.dir(map[string]string{"good": f.file(plainFile, []byte("good bytes\n"))}, nil)
	for what, data := range metas {
		dirs = append(dirs, gvDir(what, raw(tree), raw(f.meta("dirmeta", data))))
	}
	server := hostileTree(t, f, map[string]string{}, dirs)
	for _, what := range slices.Sorted(maps.Keys(metas)) {
		var st unix.Stat_t
		wantErrno(t, "lstat of "+what, unix.Lstat(server.dir+"/"+what, &st), unix.EIO)
		if lines := server.logged(sumOf(metas[what]), "/"+what); len(lines) != 1 {
			t.Errorf("%s: want one log line with the object and the path, got %q", what, lines)
		}
	}
}

// TestHostileCommits refuses a commit that is not sound before anything is mounted.
func TestHostileCommits(t *testing.T) {
	f := newForge(t)
	tree, meta := f.meta("dirtree", gvTree(nil, nil)), f.dirmeta()
	emptyKey := gvArray(8, gv{data: []byte{0, 0, 0, 0, 0, 0, 0, 0, 'v', 0, 0, 's', 1}, align: 8}).data
	right := gvCommit(nil, nil, raw(tree), raw(meta))
	for what, data := range map[string][]byte{
		"parent of 3 bytes": gvCommit(nil, []byte{1, 2, 3}, raw(tree), raw(meta)),
		"tree of 3 bytes":   gvCommit(nil, nil, raw(tree)[:3], raw(meta)),
		"no tree":           gvCommit(nil, nil, nil, raw(meta)),
		"meta of 33 bytes":  gvCommit(nil, nil, raw(tree), append(raw(meta), 0)),
		"empty key":         gvCommit(emptyKey, nil, raw(tree), raw(meta)),
		"garbage":           noise(5, 200),
		"zero length":       {},
		"bad offset":        append(right[:len(right)-1:len(right)-1], 0xf0),
	} {
		sum := f.meta("commit", data)
		refused(t, what, []string{"--repo=" + f.repo, sum}, sum)
	}
	for what, data := range badTrees(make([]byte, 32), raw(tree), raw(meta)) {
		bad := f.meta("dirtree", data)
		refused(t, fmt.Sprint("root dirtree ", what), []string{"--repo=" + f.repo, f.commit(bad, meta)}, bad)
	}
}

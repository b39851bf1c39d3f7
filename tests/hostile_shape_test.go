package tests

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// descend opens dir and then name in it, again and again, at most limit times. It returns how deep it
// came, why it stopped, and the deepest directory that it could open.
func descend(dir, name string, limit int) (depth, fd int, err error) {
	const flags = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_CLOEXEC
	if fd, err = unix.Open(dir, flags, 0); err != nil {
		return 0, -1, err
	}
	for depth = 0; depth < limit; depth++ {
		next, err := unix.Openat(fd, name, flags, 0)
		if err != nil {
			return depth, fd, err
		}
		unix.Close(fd)
		fd = next
	}
	return depth, fd, nil
}

// TestDeepTree goes down 3,000 levels, and finds an orderly end far below that.
func TestDeepTree(t *testing.T) {
	f := newForge(t)
	meta := f.dirmeta()
	tree := f.dir(map[string]string{"bottom": f.file(plainFile, []byte("bottom\n"))}, nil)
	levels := map[int]string{}
	for i := range 6000 {
		tree = f.meta("dirtree", gvTree(nil, []gv{gvDir("d", raw(tree), raw(meta))}))
		levels[i+1] = tree
	}
	dirs := []gv{gvDir("deep", raw(levels[3000]), raw(meta)), gvDir("deeper", raw(levels[6000]), raw(meta))}
	server := hostileTree(t, f, map[string]string{}, dirs)

	depth, fd, err := descend(server.dir+"/deep", "d", 3000)
	if err != nil {
		t.Fatalf("3,000 levels: stopped at %d: %v", depth, err)
	}
	file, err := unix.Openat(fd, "bottom", unix.O_RDONLY, 0)
	unix.Close(fd)
	buf := make([]byte, 16)
	n, _ := unix.Read(file, buf)
	unix.Close(file)
	if err != nil || string(buf[:max(n, 0)]) != "bottom\n" {
		t.Errorf("the file at the bottom: %q, %v", buf[:max(n, 0)], err)
	}
	depth, fd, err = descend(server.dir+"/deeper", "d", 6000)
	unix.Close(fd)
	if err != nil {
		t.Logf("6,000 levels: refused at %d: %v", depth, err)
		wantErrno(t, "descending", err, unix.EIO)
		if depth < 3000 {
			t.Errorf("6,000 levels: stopped at %d already", depth)
		}
	}
}

// TestSharedSubtrees mounts a tree of 2^60 paths that is made of 60 small objects.
func TestSharedSubtrees(t *testing.T) {
	f := newForge(t)
	tree := f.dir(map[string]string{"leaf": f.file(plainFile, []byte("leaf\n"))}, nil)
	for range 60 {
		tree = f.dir(nil, map[string]string{"a": tree, "b": tree})
	}
	start := time.Now()
	server := hostileTree(t, f, map[string]string{}, []gv{gvDir("wide", raw(tree), raw(f.dirmeta()))})
	for i := range 40 {
		path := server.dir + "/wide"
		for level := range 60 {
			path += "/" + string("ab"[i>>(level%6)&1])
		}
		if data, err := os.ReadFile(path + "/leaf"); err != nil || string(data) != "leaf\n" {
			t.Fatalf("%s: %q, %v", path, data, err)
		}
	}
	if d := time.Since(start); d > 20*time.Second {
		t.Errorf("40 paths of a tree with shared parts took %s", d)
	}
}

// TestCycle has a directory contain itself, which takes an object with a wrong checksum.
func TestCycle(t *testing.T) {
	f := newForge(t)
	meta := f.dirmeta()
	self := strings.Repeat("ab", 32)
	f.write(self, "dirtree", gvTree(nil, []gv{gvDir("self", raw(self), raw(meta))}))
	for _, verify := range []string{"first", "always", "none"} {
		t.Run(verify, func(t *testing.T) {
			server := hostileTree(t, f, map[string]string{}, []gv{gvDir("self", raw(self), raw(meta))}, "--verify="+verify)
			depth, fd, err := descend(server.dir+"/self", "self", 5000)
			unix.Close(fd)
			switch {
			case verify != "none" && (err == nil || depth > 0):
				t.Errorf("an object with a wrong checksum is shown, %d levels deep", depth)
			case err != nil:
				wantErrno(t, fmt.Sprintf("descending, stopped at %d", depth), err, unix.EIO)
			}
		})
	}
}

// TestHostileBareObjects damages what only bare-type modes have: files whose attributes are the object's.
func TestHostileBareObjects(t *testing.T) {
	p := &plot{root: scratch(t)}
	names := []string{"no-meta", "short-meta", "garbage-meta", "device-meta", "link-nul", "good"}
	for _, name := range names {
		p.text(name, "content of "+name)
	}
	if p.err != nil {
		t.Fatal(p.err)
	}
	repo := newRepo(t, "bare-user")
	commit(t, repo, "main", p.root)
	object := func(name string) string {
		_, sum := objectOf(t, repo, "main", "/"+name)
		return objectPath(repo, sum, "file")
	}
	set := func(name string, value []byte) {
		p.do(name, func() error { return unix.Setxattr(object(name), "user.ostreemeta", value, 0) })
	}
	p.do("no-meta", func() error { return unix.Removexattr(object("no-meta"), "user.ostreemeta") })
	set("short-meta", []byte{0, 0, 0})
	set("garbage-meta", noise(1, 100))
	set("device-meta", gvMeta(unix.S_IFBLK|0o644))
	set("link-nul", gvMeta(unix.S_IFLNK|0o777))
	p.do("link-nul", func() error { return os.WriteFile(object("link-nul"), []byte("\x00target"), 0o644) })
	if p.err != nil {
		t.Fatal(p.err)
	}
	server := mountedForeground(t, "--repo="+repo, "main")
	for _, name := range names[:len(names)-1] {
		_, err := readEntry(server.dir + "/" + name)
		wantErrno(t, name, err, unix.EIO)
	}
	if data, err := os.ReadFile(server.dir + "/good"); err != nil || string(data) != "content of good" {
		t.Errorf("the good file: %q, %v", data, err)
	}
}

// TestLogLinesAreLines damages a file whose name holds a newline and looks like a log line.
func TestLogLinesAreLines(t *testing.T) {
	f := newForge(t)
	content := []byte("content")
	sum := plainFile.sum(content)
	f.write(sum, "filez", rightFilez([]byte("Content")))
	name := "a\ndeployfs: all is well\x1b[31m\r"
	server := hostileTree(t, f, map[string]string{name: sum}, nil)
	_, err := os.ReadFile(server.dir + "/" + name)
	wantErrno(t, "reading", err, unix.EIO)
	if server.logged(sum); strings.Count(server.lines(), "\n") != 1 || strings.ContainsAny(server.lines(), "\x1b\r") {
		t.Errorf("want one log line without control characters, got %q", server.lines())
	}
}

// TestOddCommitTimes mounts with --mtime=commit commits from beyond the end of time.
func TestOddCommitTimes(t *testing.T) {
	f := newForge(t)
	tree, meta := f.dir(map[string]string{"f": f.file(plainFile, []byte("x"))}, nil), f.dirmeta()
	for _, seconds := range []uint64{0, 1<<31 - 1, 1 << 31, 1 << 40, 1<<63 - 1, 1 << 63, 1<<64 - 1} {
		data := gvTuple(gv{align: 8}, gvBytes(nil), gvArray(1), gvString("odd time"), gvString(""), gvBE64(seconds), gvBytes(raw(tree)), gvBytes(raw(meta))).data
		dir := mounted(t, "--repo="+f.repo, "--mtime=commit", f.meta("commit", data))
		e, err := readEntry(dir + "/f")
		if err != nil || seconds < 1<<33 && e.mtime != int64(seconds)*1e9 {
			t.Errorf("commit at %d: mtime %d ns, %v", seconds, e.mtime, err)
		}
		if err := listError(dir); err != nil {
			t.Error(err)
		}
	}
}

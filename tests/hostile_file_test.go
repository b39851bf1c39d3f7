package tests

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// badFilez make archive files for some content, each wrong in one way, under the content's checksum.
var badFilez = map[string]func(content []byte) []byte{
	"size-too-small":   func(c []byte) []byte { return append(plainFile.filez(3), deflated(c)...) },
	"size-too-large":   func(c []byte) []byte { return append(plainFile.filez(99), deflated(c)...) },
	"size-zero":        func(c []byte) []byte { return append(plainFile.filez(0), deflated(c)...) },
	"size-2^62":        func(c []byte) []byte { return append(plainFile.filez(1<<62), deflated(c)...) },
	"size-2^64-1":      func(c []byte) []byte { return append(plainFile.filez(1<<64-1), deflated(c)...) },
	"empty-file":       func([]byte) []byte { return nil },
	"header-cut":       func(c []byte) []byte { return rightFilez(c)[:14] },
	"only-length":      func(c []byte) []byte { return rightFilez(c)[:8] },
	"no-body":          func(c []byte) []byte { return plainFile.filez(uint64(len(c))) },
	"body-cut":         func(c []byte) []byte { return rightFilez(c)[:len(rightFilez(c))-3] },
	"length-zero":      func(c []byte) []byte { return append(make([]byte, 8), rightFilez(c)[8:]...) },
	"length-too-large": func(c []byte) []byte { return append([]byte{0, 1, 0, 0, 0, 0, 0, 0}, rightFilez(c)[8:]...) },
	"length-2^32-1":    func(c []byte) []byte { return append([]byte{255, 255, 255, 255, 0, 0, 0, 0}, rightFilez(c)[8:]...) },
	"broken-deflate":   func(c []byte) []byte { return append(plainFile.filez(uint64(len(c))), 0xff, 0xff, 0xff, 0xff) },
	"bad-offset":       func(c []byte) []byte { return append(append(rightFilez(c)[:33:33], 0xf0), deflated(c)...) },
	"bomb":             func(c []byte) []byte { return append(plainFile.filez(uint64(len(c))), bomb()...) },
	"bomb-of-its-size": func([]byte) []byte { return append(plainFile.filez(64<<20), bomb()...) },
	"garbage":          func([]byte) []byte { return noise(4, 3000) },
	"other-content":    func(c []byte) []byte { return rightFilez(flipped(c, 2)) },
	"other-mode": func(c []byte) []byte {
		return append(header{mode: unix.S_IFREG | 0o4777}.filez(uint64(len(c))), deflated(c)...)
	},
}

func rightFilez(c []byte) []byte { return append(plainFile.filez(uint64(len(c))), deflated(c)...) }

// bomb is 64 MiB of zeros, deflated.
func bomb() []byte { return deflated(make([]byte, 64<<20)) }

// TestHostileFilez refuses each bad archive file alone, quickly, and in little memory.
func TestHostileFilez(t *testing.T) {
	f := newForge(t)
	files := map[string]string{}
	for what, make := range badFilez {
		content := []byte("content of " + what)
		files[what] = plainFile.sum(content)
		f.write(files[what], "filez", make(content))
	}
	sums := maps.Clone(files)
	server := hostileTree(t, f, files, nil)
	start := time.Now()
	for _, what := range slices.Sorted(maps.Keys(sums)) {
		_, err := sumFile(server.dir+"/"+what, 0)
		wantErrno(t, "reading "+what, err, unix.EIO)
		if lines := server.logged(sums[what], "/"+what); len(lines) != 1 {
			t.Errorf("%s: want one log line with the object and the path, got %q", what, lines)
		}
	}
	if d := time.Since(start); d > 20*time.Second {
		t.Errorf("refusing %d bad files took %s", len(sums), d)
	}
	if kib := peakMemory(t, server.server(t)); kib > 200<<10 && os.Getenv("DEPLOYFS_RACE") == "" {
		t.Errorf("the server took %d MiB", kib>>10)
	}
}

// peakMemory returns the most memory that a process had, in KiB.
func peakMemory(t testing.TB, pid int) int {
	t.Helper()
	kib := memoryNow(pid)
	if kib == 0 {
		t.Fatal("the process has ended: ", pid)
	}
	return kib
}

// TestTrailingGarbage reads an archive file with bytes after its end: right bytes or a refusal.
func TestTrailingGarbage(t *testing.T) {
	f := newForge(t)
	content := []byte("content with a tail")
	sum := plainFile.sum(content)
	f.write(sum, "filez", append(rightFilez(content), noise(1, 5000)...))
	server := hostileTree(t, f, map[string]string{"tail": sum}, nil)
	data, err := os.ReadFile(server.dir + "/tail")
	if err != nil {
		wantErrno(t, "reading", err, unix.EIO)
	} else if !bytes.Equal(data, content) {
		t.Errorf("wrong bytes: %q", data)
	}
}

// TestHostileHeaders refuses content whose attributes no file can have, under their true checksums.
func TestHostileHeaders(t *testing.T) {
	f := newForge(t)
	headers := map[string]header{
		"block-device":    {mode: unix.S_IFBLK | 0o644},
		"char-device":     {mode: unix.S_IFCHR | 0o644, rdev: 0x105},
		"fifo":            {mode: unix.S_IFIFO | 0o644},
		"socket":          {mode: unix.S_IFSOCK | 0o644},
		"directory":       {mode: unix.S_IFDIR | 0o755},
		"no-type":         {mode: 0o644},
		"high-bits":       {mode: 1<<16 | unix.S_IFREG | 0o644},
		"rdev":            {mode: unix.S_IFREG | 0o644, rdev: 5},
		"link-empty":      {mode: unix.S_IFLNK | 0o777},
		"link-4096":       {mode: unix.S_IFLNK | 0o777, target: strings.Repeat("t", 4096)},
		"link-nul":        {mode: unix.S_IFLNK | 0o777, target: "a\x00b"},
		"xattr-empty":     {mode: unix.S_IFREG | 0o644, xattrs: []gv{gvXattr("", "v")}},
		"xattr-unsorted":  {mode: unix.S_IFREG | 0o644, xattrs: []gv{gvXattr("user.b", "v"), gvXattr("user.a", "v")}},
		"xattr-duplicate": {mode: unix.S_IFREG | 0o644, xattrs: []gv{gvXattr("user.a", "v"), gvXattr("user.a", "w")}},
		"xattr-large":     {mode: unix.S_IFREG | 0o644, xattrs: []gv{gvXattr("user.a", strings.Repeat("v", 65537))}},
	}
	var many []gv
	for i := range 12_000 { // more than listxattr(2) can list
		many = append(many, gvXattr(fmt.Sprintf("%05d", i), ""))
	}
	headers["xattrs-many"] = header{mode: unix.S_IFREG | 0o644, xattrs: many}
	many = nil
	for i := range 20 { // more than a mebibyte
		many = append(many, gvXattr(fmt.Sprint("user.", string(rune('a'+i))), strings.Repeat("v", 65000)))
	}
	headers["xattrs-huge"] = header{mode: unix.S_IFREG | 0o644, xattrs: many}
	files := map[string]string{}
	for what, h := range headers {
		files[what] = f.file(h, nil)
	}
	sums := maps.Clone(files)
	server := hostileTree(t, f, files, nil)
	for _, what := range slices.Sorted(maps.Keys(sums)) {
		_, err := readEntry(server.dir + "/" + what)
		wantErrno(t, what, err, unix.EIO)
		if lines := server.logged(sums[what], "/"+what); len(lines) != 1 {
			t.Errorf("%s: want one log line with the object and the path, got %q", what, lines)
		}
	}
}

// TestHostileObjectFiles puts something else than a file where an object should be: nothing is
// followed, and nothing hangs.
func TestHostileObjectFiles(t *testing.T) {
	f := newForge(t)
	instead := map[string]func(path string) error{
		"link-to-file":   func(path string) error { return os.Symlink(path+".moved", path) },
		"dangling-link":  func(path string) error { return os.Symlink(path+".no", path) },
		"fifo":           func(path string) error { return unix.Mkfifo(path, 0o644) },
		"directory":      func(path string) error { return os.Mkdir(path, 0o755) },
		"endless-device": func(path string) error { return unix.Mknod(path, unix.S_IFCHR|0o666, 0x105) },
		"huge-sparse":    func(path string) error { return errJoin(os.WriteFile(path, nil, 0o644), os.Truncate(path, 8<<30)) },
	}
	files, kinds, dirs := map[string]string{}, map[string]string{}, []gv{}
	for what, put := range instead {
		content := []byte("content of " + what)
		sum := f.file(plainFile, content)
		tree := f.dir(map[string]string{what: sum}, nil)
		meta := f.meta("dirmeta", gvMeta(unix.S_IFDIR|0o711, gvXattr("user.a", what)))
		files["file-"+what], kinds["file-"+what] = sum, sum+".file"
		dirs = append(dirs, gvDir("tree-"+what, raw(tree), raw(f.dirmeta())), gvDir("meta-"+what, raw(f.dir(nil, nil)), raw(meta)))
		kinds["tree-"+what], kinds["meta-"+what] = tree+".dirtree", meta+".dirmeta"
		for _, path := range []string{objectPath(f.repo, sum, "filez"), objectPath(f.repo, tree, "dirtree"), objectPath(f.repo, meta, "dirmeta")} {
			if err := errJoin(os.Rename(path, path+".moved"), put(path)); err != nil {
				t.Fatal(err)
			}
		}
	}
	server := hostileTree(t, f, files, dirs)
	for _, name := range slices.Sorted(maps.Keys(kinds)) {
		_, err := readEntry(server.dir + "/" + name)
		if err == nil && strings.HasPrefix(name, "tree-") {
			err = listError(server.dir + "/" + name)
		}
		wantErrno(t, name, err, unix.EIO)
		if lines := server.logged(kinds[name][:64], "/"+name); len(lines) != 1 {
			t.Errorf("%s: want one log line with the object and the path, got %q", name, lines)
		}
	}
	if kib := peakMemory(t, server.server(t)); kib > 400<<10 {
		t.Errorf("the server took %d MiB", kib>>10)
	}
}

func errJoin(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

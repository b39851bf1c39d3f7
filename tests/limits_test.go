package tests

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// limitFiles bounds the open files of a running server, and returns what lifts it again.
func limitFiles(t testing.TB, pid int, files uint64) (lift func()) {
	t.Helper()
	var old unix.Rlimit
	if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, nil, &old); err != nil {
		t.Fatal(err)
	}
	set := func(limit unix.Rlimit) {
		if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, &limit, nil); err != nil {
			t.Fatal(err)
		}
	}
	set(unix.Rlimit{Cur: files, Max: old.Max})
	return func() { set(old) }
}

// TestNoDescriptors takes a server's descriptors away: a file that it can't open is an input/output error, with one line
// in the log, and can be read as soon as it has some again.
func TestNoDescriptors(t *testing.T) {
	repo := sharedRepo(t, "bare", "plain")
	f := mountedForeground(t, "--repo="+repo, "--no-index", "plain")
	tool, readme := f.dir+"/usr/bin/tool", f.dir+"/usr/share/doc/README"
	if modeOf(tool) == 0 || modeOf(readme) == 0 { // so that their directories are known
		t.Fatal("no tree")
	}
	lift := limitFiles(t, f.server(t), 3)
	for range 3 {
		_, err := os.ReadFile(tool)
		wantErrno(t, "reading without descriptors", err, unix.EIO)
	}
	_, sum := objectOf(t, repo, "plain", "/usr/bin/tool")
	if lines := f.logged(sum, "/usr/bin/tool", "Too many open files"); len(lines) != 1 {
		t.Errorf("want one line about %s, have %q", sum, f.lines())
	}
	lift()
	if data, err := os.ReadFile(tool); err != nil || !bytes.Equal(data, noise(1, 300000)) {
		t.Errorf("with descriptors again: %v", err)
	}
	if data, err := os.ReadFile(readme); string(data) != "hello\n" {
		t.Errorf("another file: %v", err)
	}
	umounted(t, f.dir)
}

// TestFewDescriptors reads many files through a server that may not keep as many open as it would: what it keeps gives way.
func TestFewDescriptors(t *testing.T) {
	for _, mode := range []string{"bare", "archive"} {
		f := mountedForeground(t, "--repo="+sharedRepo(t, mode, "crowd"), "--no-index", "crowd")
		want := snapshot(t, forest(t, "crowd"))
		var names []string
		for name, e := range want {
			if e.mode&unix.S_IFMT == unix.S_IFREG && e.size > 0 && len(names) < 400 {
				names = append(names, name)
			}
		}
		pid := f.server(t)
		read := func(names []string) {
			t.Helper()
			for _, name := range names {
				if e, err := readEntry(f.dir + "/" + name); err != nil || e.sum != want[name].sum {
					t.Fatalf("%s: %s: %v", mode, name, err)
				}
			}
		}
		read(names[:1])
		few := descriptors(pid)
		read(names[:200])
		if n := descriptors(pid); n > few+64 {
			t.Errorf("%s: the server holds %d descriptors, %d before", mode, n, few)
		}
		limitFiles(t, pid, uint64(few+8))
		read(names[200:])
		if f.lines() != "" {
			t.Errorf("%s: the server said %q", mode, f.lines())
		}
		umounted(t, f.dir)
	}
}

// TestCacheSize reads more than the cache may hold: it stays within its size.
func TestCacheSize(t *testing.T) {
	repo, cache := sharedRepo(t, "archive", "traps"), scratch(t)+"/cache"
	const limit = 1 << 20
	dir := mounted(t, "--repo="+repo, "--cache-dir="+cache, "--cache-size=1M", "--no-index", "traps")
	total, files := int64(0), 0
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if data, err := os.ReadFile(path); err == nil && len(data) < limit {
				total, files = total+int64(len(data)+4096), files+1 // a block for what is less
			}
		}
		return nil
	})
	if total < 3*limit/2 {
		t.Fatalf("%d files of %d bytes in all reach no limit", files, total)
	}
	cached := func() (bytes int64) {
		paths, _ := filepath.Glob(cache + "/content/??/*")
		for _, path := range paths {
			var st unix.Stat_t
			if unix.Stat(path, &st) == nil {
				bytes += st.Blocks * 512
			}
		}
		return bytes
	}
	if !eventually(5*time.Second, func() bool { return cached() <= limit }) {
		t.Errorf("the cache takes %d bytes, may take %d", cached(), limit)
	}
	if cached() == 0 {
		t.Error("nothing is cached")
	}
}

// TestLargeReads reads with one call what takes many requests, through the page cache and past it.
func TestLargeReads(t *testing.T) {
	tree := scratch(t)
	want := noise(7, 5<<20)
	if err := os.WriteFile(tree+"/large", want, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []string{"bare", "archive"} {
		repo := newRepo(t, mode)
		commit(t, repo, "main", tree)
		dir := mounted(t, "--repo="+repo, "main")
		for what, flags := range map[string]int{"read": unix.O_RDONLY, "direct read": unix.O_RDONLY | unix.O_DIRECT} {
			fd, err := unix.Open(dir+"/large", flags, 0)
			if err != nil {
				t.Fatal(what, err)
			}
			buf := make([]byte, 8<<20)
			n, err := unix.Pread(fd, buf, 0)
			if err != nil || !bytes.Equal(buf[:n], want) {
				t.Errorf("%s: %s of 8 MiB: %d bytes, %v", mode, what, n, err)
			}
			if n, err = unix.Pread(fd, buf, int64(len(want))); n != 0 || err != nil {
				t.Errorf("%s: %s at the end: %d bytes, %v", mode, what, n, err)
			}
			unix.Close(fd)
		}
		umounted(t, dir)
	}
}

// TestLargeXattrs has the largest values, and lists, that system calls can hand out, and a list that is larger, which is refused.
func TestLargeXattrs(t *testing.T) {
	named := func(count int) (xattrs []gv) { // names of 256 bytes with their NUL
		for i := range count {
			xattrs = append(xattrs, gvXattr("user."+strings.Repeat("n", 246)+string([]byte{byte('a' + i/260), byte('a' + i/26%10), byte('a' + i%26), 'z'}), "v"))
		}
		return xattrs
	}
	f := newForge(t)
	file := func(xattrs ...gv) string { return f.file(header{mode: unix.S_IFREG | 0o644, xattrs: xattrs}, nil) }
	server := hostileTree(t, f, map[string]string{
		"value": file(gvXattr("user.large", strings.Repeat("v", 1<<16))), "list": file(named(256)...), "more": file(named(257)...),
	}, nil)
	buf := make([]byte, 1<<17)
	if n, err := unix.Getxattr(server.dir+"/value", "user.large", buf); n != 1<<16 || err != nil || bytes.Count(buf[:n], []byte("v")) != n {
		t.Errorf("value of 64 KiB: %d, %v", n, err)
	}
	_, err := unix.Getxattr(server.dir+"/value", "user.large", buf[:1<<16-1])
	wantErrno(t, "value of 64 KiB into less", err, unix.ERANGE)
	if n, err := unix.Listxattr(server.dir+"/list", buf); n != 1<<16 || err != nil || bytes.Count(buf[:n], []byte{0}) != 256 {
		t.Errorf("list of 64 KiB: %d, %v", n, err)
	}
	_, err = unix.Listxattr(server.dir+"/more", buf)
	wantErrno(t, "list of more than 64 KiB", err, unix.EIO) // no file system holds such a one
	_, err = unix.Getxattr(server.dir+"/more", "user."+strings.Repeat("n", 246)+"aaaz", buf)
	wantErrno(t, "an attribute of too many", err, unix.EIO)
}

// TestListingBuffers lists a directory into buffers of many sizes: each entry comes once.
func TestListingBuffers(t *testing.T) {
	dir := mounted(t, "--repo="+sharedRepo(t, "archive", "crowd"), "crowd") + "/crowd"
	all, err := readDirents(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{128, 333, 4096, 1 << 20} {
		fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY, 0)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		buf := make([]byte, size)
		n, err := unix.Getdents(fd, buf)
		for ; n > 0; n, err = unix.Getdents(fd, buf) {
			_, _, names = unix.ParseDirent(buf[:n], -1, names)
		}
		unix.Close(fd)
		slices.Sort(names)
		if err != nil || len(names) != len(all) || len(slices.Compact(names)) != len(all) {
			t.Errorf("into %d bytes: %d names, want %d: %v", size, len(names), len(all), err)
		}
	}
	fd, _ := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	defer unix.Close(fd)
	_, err = unix.Getdents(fd, make([]byte, 20))
	wantErrno(t, "listing into 20 bytes", err, unix.EINVAL)
}

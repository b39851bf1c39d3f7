package tests

import (
	"maps"
	"os"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// walkOnce looks at every name, link, absent name and byte of a tree, but at no xattr: the kernel
// keeps none of these.
func walkOnce(t testing.TB, dir string, names []string) {
	t.Helper()
	buf := make([]byte, 128<<10)
	for _, name := range names {
		path := dir + "/" + name
		switch modeOf(path) & unix.S_IFMT {
		case unix.S_IFDIR:
			if err := listError(path); err != nil {
				t.Fatal(err)
			}
			modeOf(path + "/absent")
		case unix.S_IFLNK:
			os.Readlink(path)
		case unix.S_IFREG:
			f, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			for n := 1; n > 0; {
				n, _ = f.Read(buf)
			}
			f.Close()
		}
	}
}

// TestKernelKeepsAll walks a tree twice: the second walk asks the server nothing.
func TestKernelKeepsAll(t *testing.T) {
	repo := sharedRepo(t, "bare", "traps")
	dir := mounted(t, "--repo="+repo, "traps")
	names := slices.Sorted(maps.Keys(snapshot(t, forest(t, "traps"))))
	walkOnce(t, dir, names)
	requests := func() uint64 { return mountRecords(t)[0].Requests }
	first := requests()
	walkOnce(t, dir, names)
	second := requests()
	if first == 0 || second-first > 10 {
		t.Errorf("a walk over %d entries asks %d times, and %d times more when repeated", len(names), first, second-first)
	}
	var st unix.Statfs_t
	unix.Statfs(dir, &st)
	if third := requests(); third == second {
		t.Error("statfs is not counted, so the figures above mean nothing")
	}
}

// TestSmallCache reads files that are larger than the room for inflated content.
func TestSmallCache(t *testing.T) {
	repo := sharedRepo(t, "archive", "traps")
	want := snapshot(t, forest(t, "traps"))
	dir := mounted(t, "--repo="+repo, "--cache-size=1M", "traps")
	for _, name := range []string{"sizes/several-mib", "sizes/sparse", "sizes/noise-1048576", "sizes/several-mib"} {
		if e, err := readEntry(dir + "/" + name); err != nil || e.sum != want[name].sum {
			t.Errorf("%s: %v", name, err)
		}
		dropCaches(t)
	}
}

// TestFullCache has no disk space for inflated content: reads fail or are right, and go on when
// there is room again.
func TestFullCache(t *testing.T) {
	repo := sharedRepo(t, "archive", "traps")
	needFuse(t)
	cache := "/var/cache/deployfs"
	os.MkdirAll(cache, 0o700)
	if err := unix.Mount("tmpfs", cache, "tmpfs", 0, "size=1m"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Unmount(cache, unix.MNT_DETACH) })
	want := snapshot(t, forest(t, "traps"))
	f := mountedForeground(t, "--repo="+repo, "traps")
	for _, name := range []string{"sizes/several-mib", "sizes/noise-4097", "sizes/sparse", "sizes/noise-65536"} {
		e, err := readEntry(f.dir + "/" + name)
		if err != nil {
			wantErrno(t, name, err, unix.EIO)
		} else if e.sum != want[name].sum {
			t.Errorf("%s: wrong bytes", name)
		}
		if err != nil && want[name].size < 1<<19 {
			t.Errorf("%s: does not fit into an empty MiB: %v", name, err)
		}
	}
	if err := unix.Mount("tmpfs", cache, "tmpfs", unix.MS_REMOUNT, "size=100m"); err != nil {
		t.Fatal(err)
	}
	if e, err := readEntry(f.dir + "/sizes/several-mib"); err != nil || e.sum != want["sizes/several-mib"].sum {
		t.Errorf("with room again: %v", err)
	}
	umounted(t, f.dir)
}

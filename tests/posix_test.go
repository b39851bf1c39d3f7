package tests

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/hanwen/go-fuse/v2/posixtest"
	"golang.org/x/sys/unix"
)

// TestStdlibFS has the standard library judge the mount, and a checkout beside it.
func TestStdlibFS(t *testing.T) {
	dir := mounted(t, "--repo="+sharedRepo(t, "archive", "plain"), "plain")
	if err := fstest.TestFS(os.DirFS(dir), "usr/bin/tool", "usr/share/doc/README", "usr/share/doc/empty", "var/empty", "bin"); err != nil {
		t.Error(err)
	}
}

// overlayFails are the cases of posixtest that overlayfs fails over any lower file system.
var overlayFails = map[string]string{
	"FcntlFlockLocksFile": "wants fcntl and flock to exclude each other, which overlayfs does not do",
	"XAttrLarge":          "wants an xattr that is larger than ext4 takes",
}

// TestPosix runs go-fuse's cases. They all write first, so they run on an overlay over a mount; what
// reads in them then reads through ours wherever the upper directory has nothing.
func TestPosix(t *testing.T) {
	repo, upper := overlayRepo(t)
	os.Mkdir(upper, 0o755)
	dir := mounted(t, "--repo="+repo, "--overlay="+upper, "plain")
	for _, name := range slices.Sorted(maps.Keys(posixtest.All)) {
		if overlayFails[name] != "" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			sub := filepath.Join(dir, "usr/share/doc", name)
			if err := os.Mkdir(sub, 0o755); err != nil {
				t.Fatal(err)
			}
			posixtest.All[name](t, sub)
		})
	}
}

// TestReadDirSeek goes back to every position that a directory of 10,000 entries gave.
func TestReadDirSeek(t *testing.T) {
	repo := sharedRepo(t, "archive", "crowd")
	dir := mounted(t, "--repo="+repo, "crowd") + "/crowd"
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	var starts []int64
	var first []string
	buf := make([]byte, 3000)
	for {
		pos, err := unix.Seek(fd, 0, unix.SEEK_CUR)
		if err != nil {
			t.Fatal(err)
		}
		n, err := unix.Getdents(fd, buf)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
		starts, first = append(starts, pos), append(first, firstName(buf))
	}
	for _, i := range []int{len(starts) - 1, 0, len(starts) / 2, 1, len(starts) - 2} {
		if _, err := unix.Seek(fd, starts[i], unix.SEEK_SET); err != nil {
			t.Fatal(err)
		}
		if n, err := unix.Getdents(fd, buf); err != nil || n == 0 || firstName(buf) != first[i] {
			t.Errorf("at position %d of %d: %q after seeking back, %q before, %v", i, len(starts), firstName(buf), first[i], err)
		}
	}
}

// firstName is the name of the first entry that getdents64 put into buf.
func firstName(buf []byte) string { return unix.ByteSliceToString(buf[19:]) }

// TestReads tries reads at and around every edge: beyond the end, of nothing, with SEEK_DATA and SEEK_HOLE.
func TestReads(t *testing.T) {
	for _, mode := range []string{"archive", "bare"} {
		dir := mounted(t, "--repo="+sharedRepo(t, mode, "traps"), "traps")
		for name, size := range map[string]int{"sizes/noise-4097": 4097, "sizes/noise-131073": 131073, "sizes/noise-0": 0, "sizes/noise-1": 1} {
			readEdges(t, dir+"/"+name, noise(uint64(size), size))
		}
		for flags, want := range map[int]error{unix.O_RDONLY | unix.O_DIRECTORY: unix.ENOTDIR, unix.O_PATH: nil, unix.O_RDONLY | unix.O_NOATIME: nil} {
			fd, err := unix.Open(dir+"/sizes/noise-1", flags, 0)
			if err != want {
				t.Errorf("open with flags %#x: %v, want %v", flags, err, want)
			}
			unix.Close(fd)
		}
		_, err := unix.Open(dir+"/links/absolute", unix.O_RDONLY|unix.O_NOFOLLOW, 0)
		wantErrno(t, "open of a link with O_NOFOLLOW", err, unix.ELOOP)
		_, err = unix.Open(dir+"/links/loop", unix.O_RDONLY, 0)
		wantErrno(t, "open of a link to itself", err, unix.ELOOP)
		for _, absent := range []string{"no", "sizes/no", "sizes/noise-1/no", "empty/no"} {
			for range 2 { // the second answer comes from the kernel's cache
				if modeOf(dir+"/"+absent) != 0 {
					t.Errorf("%s exists", absent)
				}
			}
		}
	}
}

func readEdges(t *testing.T, path string, want []byte) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	size := int64(len(want))
	for _, off := range []int64{size + 1<<40, size + 1, size, max(size-1, 0), size / 2, 0} {
		for _, n := range []int{0, 1, 4096, 300000} {
			buf := make([]byte, n)
			got, err := unix.Pread(int(f.Fd()), buf, off)
			part := want[min(off, size):min(off+int64(n), size)]
			if err != nil || string(buf[:got]) != string(part) {
				t.Errorf("%s: pread(%d bytes at %d) = %d, %v; want %d bytes", path, n, off, got, err, len(part))
			}
		}
	}
	if hole, err := f.Seek(0, unix.SEEK_HOLE); size > 0 && (err != nil || hole != size) {
		t.Errorf("%s: SEEK_HOLE from 0: %d, %v; want %d", path, hole, err, size)
	}
	if _, err := f.Seek(size, unix.SEEK_DATA); err == nil {
		t.Errorf("%s: SEEK_DATA at the end finds data", path)
	}
	lock := syscall.Flock_t{Type: syscall.F_RDLCK}
	if err := syscall.FcntlFlock(f.Fd(), syscall.F_SETLK, &lock); err != nil {
		t.Errorf("%s: shared lock: %v", path, err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		t.Errorf("%s: flock: %v", path, err)
	}
}

package tests

import (
	"bytes"
	"crypto/sha256"
	endian "encoding/binary"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// entry is all that a user can see of a file, directory or link.
type entry struct {
	mode, uid, gid uint32
	size           int64 // 0 for directories
	xattrs         map[string]string
	target         string
	sum            [32]byte // of a file's bytes

	ino, nlink, blocks  uint64
	listed              uint64 // inode as readdir gives it; 0 for the root
	atime, mtime, ctime int64  // nanoseconds
}

// snapshot reads the whole tree below dir; the root's name is ".".
func snapshot(t testing.TB, dir string) map[string]entry {
	t.Helper()
	tree := map[string]entry{}
	if err := readTree(tree, dir, "."); err != nil {
		t.Fatal("reading a tree: ", err)
	}
	return tree
}

func readTree(tree map[string]entry, root, name string) error {
	path := filepath.Join(root, name)
	e, err := readEntry(path)
	if err != nil {
		return err
	}
	tree[name] = e
	if e.mode&unix.S_IFMT != unix.S_IFDIR {
		return nil
	}
	children, err := readDirents(path)
	if err != nil {
		return err
	}
	for _, c := range children {
		sub := filepath.Join(name, c.name)
		if err := readTree(tree, root, sub); err != nil {
			return err
		}
		got := tree[sub]
		if got.mode>>12 != uint32(c.kind) {
			return fmt.Errorf("%q: readdir says type %d, stat says %d", sub, c.kind, got.mode>>12)
		}
		got.listed = c.ino
		tree[sub] = got
	}
	return nil
}

func readEntry(path string) (entry, error) {
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return entry{}, fmt.Errorf("lstat %q: %w", path, err)
	}
	e := entry{mode: st.Mode, uid: st.Uid, gid: st.Gid, ino: st.Ino, nlink: uint64(st.Nlink), blocks: uint64(st.Blocks),
		atime: st.Atim.Nano(), mtime: st.Mtim.Nano(), ctime: st.Ctim.Nano()}
	var err error
	if e.xattrs, err = xattrsOf(path); err != nil {
		return e, err
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFLNK:
		e.size = st.Size
		e.target, err = os.Readlink(path)
	case unix.S_IFREG:
		e.size = st.Size
		e.sum, err = sumFile(path, st.Size)
	}
	return e, err
}

// sumFile hashes a file's bytes and checks that there are as many as stat says.
func sumFile(path string, size int64) (sum [32]byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return sum, err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	if err == nil && n != size {
		err = fmt.Errorf("%q: stat says %d bytes, read gave %d", path, size, n)
	}
	return [32]byte(h.Sum(nil)), err
}

// xattrsOf reads all xattrs of path, of a link itself.
func xattrsOf(path string) (map[string]string, error) {
	list := make([]byte, 64<<10)
	n, err := unix.Llistxattr(path, list)
	if err == unix.ENOTSUP { // how a mount says that its commit has none at all
		return map[string]string{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("listxattr %q: %w", path, err)
	}
	xattrs := map[string]string{}
	value := make([]byte, 64<<10)
	for name := range strings.SplitSeq(string(list[:n]), "\x00") {
		if name == "" {
			continue
		}
		size, err := unix.Lgetxattr(path, name, value)
		if err != nil {
			return nil, fmt.Errorf("getxattr %q %q: %w", path, name, err)
		}
		if _, double := xattrs[name]; double {
			return nil, fmt.Errorf("%q: xattr %q is listed twice", path, name)
		}
		xattrs[name] = string(value[:size])
	}
	return xattrs, nil
}

// dirent is what the kernel's readdir says of an entry.
type dirent struct {
	name string
	ino  uint64
	kind byte // as the type bits of a mode, shifted right by 12
}

// readDirents reads a directory with getdents64, so that d_type is seen as it is.
func readDirents(path string) ([]dirent, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open %q: %w", path, err)
	}
	defer unix.Close(fd)
	var all []dirent
	buf := make([]byte, 32<<10)
	for {
		n, err := unix.Getdents(fd, buf)
		if err != nil {
			return nil, fmt.Errorf("readdir %q: %w", path, err)
		}
		if n == 0 {
			break
		}
		for b := buf[:n]; len(b) > 0; {
			size := endian.NativeEndian.Uint16(b[16:])
			name := string(b[19 : 19+bytes.IndexByte(b[19:size], 0)])
			all = append(all, dirent{name, endian.NativeEndian.Uint64(b), b[18]})
			b = b[size:]
		}
	}
	dots := len(all)
	all = slices.DeleteFunc(all, func(d dirent) bool { return d.name == "." || d.name == ".." })
	if dots -= len(all); dots != 2 {
		return nil, fmt.Errorf("readdir %q: want `.` and `..` once each, got %d", path, dots)
	}
	seen := map[string]bool{}
	for _, d := range all {
		if seen[d.name] {
			return nil, fmt.Errorf("readdir %q: %q is listed twice", path, d.name)
		}
		seen[d.name] = true
	}
	return all, nil
}

// differences lists what is not the same in two trees, link counts, inodes and times apart.
func differences(want, got map[string]entry) []string {
	var diffs []string
	add := func(format string, args ...any) { diffs = append(diffs, fmt.Sprintf(format, args...)) }
	for _, name := range slices.Sorted(maps.Keys(want)) {
		w := want[name]
		g, ok := got[name]
		if !ok {
			add("%q: missing", name)
			continue
		}
		if w.mode != g.mode || w.uid != g.uid || w.gid != g.gid || w.size != g.size {
			add("%q: mode %o owner %d:%d size %d, want mode %o owner %d:%d size %d",
				name, g.mode, g.uid, g.gid, g.size, w.mode, w.uid, w.gid, w.size)
		}
		if w.target != g.target {
			add("%q: target %.80q, want %.80q", name, g.target, w.target)
		}
		if w.sum != g.sum {
			add("%q: other bytes", name)
		}
		if !maps.Equal(w.xattrs, g.xattrs) {
			add("%q: xattrs %.400q, want %.400q", name, fmt.Sprint(g.xattrs), fmt.Sprint(w.xattrs))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[name]; !ok {
			add("%q: should not exist", name)
		}
	}
	return diffs
}

// same fails the test when the trees differ, with the first differences.
func same(t testing.TB, want, got map[string]entry) {
	t.Helper()
	diffs := differences(want, got)
	for _, d := range diffs[:min(len(diffs), 15)] {
		t.Error(d)
	}
	if len(diffs) > 15 {
		t.Errorf("... %d differences in all", len(diffs))
	}
}

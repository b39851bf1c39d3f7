package index

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/object"
)

// bed is a repository on disk, and a cache directory.
type bed struct {
	t     testing.TB
	path  string // of the repository
	cache string
	repo  *objstore.Repo
	root  Root
	model *folderModel
}

// tree is what a bed holds: what a bare-user-only repository can.
func tree() *folderModel {
	return newFolder(map[string]any{
		"file": regular(0o644, 5), "empty": regular(0o644, 0), "link": symlink("file"),
		"sub": newFolder(map[string]any{"x": regular(0o755, 9)}),
	})
}

// newBed makes a repository whose directory has the permissions perm.
func newBed(t testing.TB, perm os.FileMode) *bed {
	t.Helper()
	base := t.TempDir()
	for dir := base; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		os.Chmod(dir, 0o755) // for other users
	}
	b := &bed{t: t, path: base + "/repo", cache: base + "/cache", model: tree()}
	b.write("config", "[core]\nrepo_version=1\nmode=bare-user-only\n", 0o644)
	b.check(os.Chmod(b.path, perm))
	b.open()
	b.root = b.add(b.model)
	return b
}

func (b *bed) check(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bed) open() {
	b.t.Helper()
	b.check(os.MkdirAll(b.path+"/objects", 0o755))
	repo, err := objstore.Open(b.path)
	b.check(err)
	b.t.Cleanup(func() { repo.Close() })
	b.repo = repo
}

func (b *bed) write(name, data string, perm os.FileMode) {
	b.t.Helper()
	b.check(os.MkdirAll(filepath.Dir(b.path+"/"+name), 0o755))
	b.check(os.WriteFile(b.path+"/"+name, []byte(data), perm))
}

func objectFile(name object.Name) string {
	sum := name.Checksum.String()
	return "objects/" + sum[:2] + "/" + sum[2:] + "." + name.Kind.String()
}

// add stores a tree.
func (b *bed) add(f *folderModel) Root {
	b.t.Helper()
	m := newMemory()
	root := m.add(f)
	for name, data := range m.meta {
		b.write(objectFile(name), string(data), 0o644)
	}
	for sum, h := range m.headers {
		name := objectFile(object.Name{Checksum: sum, Kind: object.KindFile})
		if !h.IsSymlink() {
			b.write(name, string(make([]byte, h.Size)), os.FileMode(h.Mode&0o777))
			b.check(os.Chmod(b.path+"/"+name, os.FileMode(h.Mode&0o777)))
			continue
		}
		b.check(os.MkdirAll(filepath.Dir(b.path+"/"+name), 0o755))
		if err := os.Symlink(h.Target, b.path+"/"+name); !os.IsExist(err) {
			b.check(err)
		}
	}
	return root
}

// store opens the store of the repository until the test ends.
func (b *bed) store() *Store {
	b.t.Helper()
	s := OpenStore(b.repo, b.cache)
	b.t.Cleanup(s.Close)
	return s
}

// make makes the index of root, which has to succeed.
func (b *bed) make(root Root) {
	b.t.Helper()
	m, err := b.store().Make(context.Background(), b.repo, root)
	b.check(err)
	if m.Root() != root {
		b.t.Errorf("an index of %v, want %v", m.Root(), root)
	}
	b.check(m.Close())
}

// opens reports whether the index of root is found.
func (b *bed) opens(root Root) bool {
	b.t.Helper()
	m, err := b.store().Open(root)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			b.t.Errorf("open: %v", err)
		}
		return false
	}
	b.check(m.Close())
	return true
}

// folder is where the repository's own indexes are; file is that of root.
func (b *bed) folder() string        { return b.path + "/deployfs/index" }
func (b *bed) file(root Root) string { return b.folder() + "/" + fileName(root) }

// stat is a file's status, not that of what it points to.
func stat(t testing.TB, path string) (st unix.Stat_t) {
	t.Helper()
	if err := unix.Lstat(path, &st); err != nil {
		t.Fatal(path, err)
	}
	return st
}

func exists(path string) bool { return unix.Lstat(path, new(unix.Stat_t)) == nil }

// another is a user without rights.
const another = 65534

// needRoot skips a test that needs files of two users.
func needRoot(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("skipped: only root can make files of another user")
	}
}

// asUser lets the whole process be another user meanwhile.
func asUser(t testing.TB, work func()) {
	t.Helper()
	needRoot(t)
	if err := syscall.Seteuid(another); err != nil {
		t.Fatal(err)
	}
	defer syscall.Seteuid(0)
	work()
}

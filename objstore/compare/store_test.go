package compare

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
	"deployfs/objstore/tree"
)

// store is a bare repository, into which directories are committed by hard links.
type store struct {
	t    *testing.T
	path string
	repo *objstore.Repo
}

func newStore(t *testing.T) *store {
	t.Helper()
	s := &store{t: t, path: filepath.Join(t.TempDir(), "repo")}
	s.must(os.MkdirAll(s.path+"/objects", 0o755))
	s.must(os.WriteFile(s.path+"/config", []byte("[core]\nrepo_version=1\nmode=bare\n"), 0o644))
	repo, err := objstore.Open(s.path)
	s.must(err)
	t.Cleanup(func() { repo.Close() })
	s.repo = repo
	return s
}

func (s *store) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// object is where an object lies; its directory is made.
func (s *store) object(sum object.Checksum, kind string) string {
	path := filepath.Join(s.path, "objects", sum.String()[:2], sum.String()[2:]+"."+kind)
	s.must(os.MkdirAll(filepath.Dir(path), 0o755))
	return path
}

func (s *store) write(data []byte, kind string) object.Checksum {
	sum := object.Checksum(sha256Of(data))
	s.must(os.WriteFile(s.object(sum, kind), data, 0o644))
	return sum
}

// commit makes a side of a directory. With link, its files become the objects, else copies do.
func (s *store) commit(dir string, link bool) *Commit {
	sum, err := objstore.FileChecksum(dir, true)
	s.must(err)
	s.meta(dir)
	return &Commit{Repo: s.repo, Dir: tree.Entry{Path: "/", Tree: s.tree(dir, link), Meta: sum}}
}

// meta stores the dirmeta of a directory.
func (s *store) meta(dir string) object.Checksum {
	var st unix.Stat_t
	s.must(unix.Lstat(dir, &st))
	h, err := objstore.FileHeader(dir, &st, true)
	s.must(err)
	return s.write(object.DirMeta{UID: h.UID, GID: h.GID, Mode: h.Mode, Xattrs: h.Xattrs}.Encode(), "dirmeta")
}

func (s *store) tree(dir string, link bool) object.Checksum {
	entries, err := os.ReadDir(dir) // sorted
	s.must(err)
	var files, dirs []gvariant.Value
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if e.IsDir() {
			sub, meta := s.tree(path, link), s.meta(path)
			dirs = append(dirs, gvariant.NewTuple(gvariant.NewString(e.Name()), gvariant.NewBytes(sub[:]), gvariant.NewBytes(meta[:])))
			continue
		}
		sum := s.file(path, link)
		files = append(files, gvariant.NewTuple(gvariant.NewString(e.Name()), gvariant.NewBytes(sum[:])))
	}
	return s.write(gvariant.NewTuple(gvariant.NewArray("(say)", files...), gvariant.NewArray("(sayay)", dirs...)).Bytes(), "dirtree")
}

func (s *store) file(path string, link bool) object.Checksum {
	sum, err := objstore.FileChecksum(path, true)
	s.must(err)
	to := s.object(sum, "file")
	if _, err := os.Lstat(to); err == nil {
		return sum
	}
	info, err := os.Lstat(path)
	s.must(err)
	switch {
	case link:
		s.must(os.Link(path, to))
	case info.Mode()&os.ModeSymlink != 0:
		target, err := os.Readlink(path)
		s.must(err)
		s.must(os.Symlink(target, to))
	default:
		data, err := os.ReadFile(path)
		s.must(err)
		s.must(os.WriteFile(to, data, info.Mode()))
		s.must(os.Chmod(to, info.Mode()))
	}
	zero := []unix.Timespec{{}, {}}
	s.must(unix.UtimesNanoAt(unix.AT_FDCWD, to, zero, unix.AT_SYMLINK_NOFOLLOW))
	return sum
}

// plant makes a directory of files by path: "d/" is a directory, a content "-> x" a link to x.
func plant(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		put(t, dir, name, files[name])
	}
	return dir
}

func put(t *testing.T, dir, name, content string) {
	t.Helper()
	path := filepath.Join(dir, name)
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	switch {
	case name[len(name)-1] == '/':
		err = os.MkdirAll(path, 0o755)
	case len(content) > 3 && content[:3] == "-> ":
		err = os.Symlink(content[3:], path)
	case err == nil:
		err = os.WriteFile(path, []byte(content), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

package usage

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"math/rand/v2"
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

// store is a repository in the making, and what is known of it.
type store struct {
	t       testing.TB
	repo    *objstore.Repo
	meta    object.Checksum // of every directory
	commits []made
	refs    map[string]int // place in commits
}

// made is a commit, its tree, and the place of its parent, or -1.
type made struct {
	sum    object.Checksum
	tree   *dir
	parent int
}

// dir is a directory of the model.
type dir struct {
	sum   object.Checksum
	files map[string]file
	dirs  map[string]*dir
}

type file struct {
	sum  object.Checksum
	size uint64
}

type needs map[object.Name]bool

func newStore(t testing.TB) *store {
	t.Helper()
	path := t.TempDir()
	for _, sub := range []string{"objects", "refs/heads", "refs/remotes", "state"} {
		check(t, os.MkdirAll(filepath.Join(path, sub), 0o755))
	}
	check(t, os.WriteFile(path+"/config", []byte("[core]\nrepo_version=1\nmode=bare-user-only\n"), 0o644))
	repo, err := objstore.Open(path)
	check(t, err)
	t.Cleanup(func() { repo.Close() })
	s := &store{t: t, repo: repo, refs: map[string]int{}}
	s.meta = s.put(object.KindDirMeta, object.DirMeta{Mode: object.ModeDir | 0o755}.Encode())
	return s
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (s *store) write(name object.Name, data []byte) {
	s.t.Helper()
	objects, path := s.repo.ObjectFile(name)
	path = filepath.Join(s.repo.Path(), objects.Name(), path)
	check(s.t, os.MkdirAll(filepath.Dir(path), 0o755))
	if os.Link(path, path) != unix.EEXIST { // it is not there
		check(s.t, os.WriteFile(path, data, 0o644))
	}
}

func (s *store) put(kind object.Kind, data []byte) object.Checksum {
	s.t.Helper()
	sum := object.Checksum(sha256.Sum256(data))
	s.write(object.Name{Checksum: sum, Kind: kind}, data)
	return sum
}

func (s *store) file(text string) file {
	h := object.Header{Mode: object.ModeRegular | 0o644}
	sum := object.Checksum(sha256.Sum256(append(h.Hashed(), text...)))
	s.write(object.Name{Checksum: sum, Kind: object.KindFile}, []byte(text))
	return file{sum, uint64(len(text))}
}

// seal writes a directory's dirtree.
func (s *store) seal(d *dir) *dir {
	var files, dirs []gvariant.Value
	for _, name := range slices.Sorted(maps.Keys(d.files)) {
		sum := d.files[name].sum
		files = append(files, gvariant.NewTuple(gvariant.NewString(name), gvariant.NewBytes(sum[:])))
	}
	for _, name := range slices.Sorted(maps.Keys(d.dirs)) {
		sum := d.dirs[name].sum
		dirs = append(dirs, gvariant.NewTuple(gvariant.NewString(name), gvariant.NewBytes(sum[:]), gvariant.NewBytes(s.meta[:])))
	}
	d.sum = s.put(object.KindDirTree, gvariant.NewTuple(gvariant.NewArray("(say)", files...), gvariant.NewArray("(sayay)", dirs...)).Bytes())
	return d
}

func (s *store) commit(tree *dir, parent int) int {
	var above []byte
	if parent >= 0 {
		above = s.commits[parent].sum[:]
	}
	sum := s.put(object.KindCommit, gvariant.NewTuple(gvariant.NewArray("{sv}"), gvariant.NewBytes(above), gvariant.NewArray("(say)"),
		gvariant.NewString(fmt.Sprint(len(s.commits))), gvariant.NewString(""), gvariant.NewUint64(0), gvariant.NewBytes(tree.sum[:]), gvariant.NewBytes(s.meta[:])).Bytes())
	s.commits = append(s.commits, made{sum, tree, parent})
	return len(s.commits) - 1
}

func (s *store) ref(name string, commit int) {
	s.t.Helper()
	check(s.t, os.WriteFile(filepath.Join(s.repo.Path(), "refs/heads", name), []byte(s.commits[commit].sum.String()+"\n"), 0o644))
	s.refs[name] = commit
}

// randomDir makes a small directory of few different files, with those that were
// made before as subdirectories.
func (s *store) randomDir(r *rand.Rand, before []*dir) *dir {
	d := &dir{files: map[string]file{}, dirs: map[string]*dir{}}
	for range r.IntN(4) {
		d.files[fmt.Sprint("f", r.IntN(5))] = s.file(strings.Repeat("x", r.IntN(40)*300))
	}
	for range min(len(before), r.IntN(3)) {
		d.dirs[fmt.Sprint("d", r.IntN(4))] = before[r.IntN(len(before))]
	}
	return s.seal(d)
}

// randomStore makes histories that share and branch, and refs on them.
func randomStore(t testing.TB, seed uint64) (*store, *rand.Rand) {
	s, r := newStore(t), rand.New(rand.NewPCG(seed, 0))
	var dirs []*dir
	for range 4 + r.IntN(20) {
		dirs = append(dirs, s.randomDir(r, dirs))
	}
	for i := range 1 + r.IntN(20) {
		parent := min(r.IntN(i+2), i) - 1
		s.commit(dirs[r.IntN(len(dirs))], parent)
	}
	for i := range r.IntN(6) {
		s.ref(fmt.Sprint("ref", i), r.IntN(len(s.commits)))
	}
	return s, r
}

func (s *store) below(to needs, d *dir) {
	to[object.Name{Checksum: d.sum, Kind: object.KindDirTree}] = true
	to[object.Name{Checksum: s.meta, Kind: object.KindDirMeta}] = true
	for _, f := range d.files {
		to[object.Name{Checksum: f.sum, Kind: object.KindFile}] = true
	}
	for _, sub := range d.dirs {
		s.below(to, sub)
	}
}

// of is what commits need.
func (s *store) of(commits ...int) needs {
	to := needs{}
	for _, i := range commits {
		to[object.Name{Checksum: s.commits[i].sum, Kind: object.KindCommit}] = true
		s.below(to, s.commits[i].tree)
	}
	return to
}

// history is a commit and so many parents.
func (s *store) history(i, depth int) (list []int) {
	for ; i >= 0 && depth >= 0; depth-- {
		list = append(list, i)
		i = s.commits[i].parent
	}
	return list
}

// without is what is in n and in none of others.
func (n needs) without(others ...needs) needs {
	left := maps.Clone(n)
	for _, other := range others {
		for name := range other {
			delete(left, name)
		}
	}
	return left
}

// amount is what the objects take.
func (s *store) amount(n needs) (a Amount) {
	for name := range n {
		st, err := statObject(s.repo, name)
		check(s.t, err)
		a.addFile(&st)
	}
	return a
}

// held is all that is in the repository.
func (s *store) held() needs {
	all := needs{}
	check(s.t, s.repo.EachObject(func(name object.Name) { all[name] = true }))
	return all
}

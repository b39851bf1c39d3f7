package reach

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"deployfs/objstore"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
)

// store is a repository in the making.
type store struct {
	t    testing.TB
	repo *objstore.Repo
	meta object.Checksum // of every directory
}

func newStore(t testing.TB, config string) *store {
	t.Helper()
	dir := t.TempDir()
	for _, sub := range []string{"objects", "refs/heads", "refs/remotes", "state"} {
		check(t, os.MkdirAll(filepath.Join(dir, sub), 0o755))
	}
	check(t, os.WriteFile(dir+"/config", []byte("[core]\nrepo_version=1\nmode=bare-user-only\n"+config), 0o644))
	repo, err := objstore.Open(dir)
	check(t, err)
	t.Cleanup(func() { repo.Close() })
	s := &store{t: t, repo: repo}
	s.meta = s.put(object.KindDirMeta, object.DirMeta{Mode: object.ModeDir | 0o755}.Encode())
	return s
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (s *store) put(kind object.Kind, data []byte) object.Checksum {
	s.t.Helper()
	sum := object.Checksum(sha256.Sum256(data))
	objects, path := s.repo.ObjectFile(object.Name{Checksum: sum, Kind: kind})
	path = filepath.Join(s.repo.Path(), objects.Name(), path)
	check(s.t, os.MkdirAll(filepath.Dir(path), 0o755))
	check(s.t, os.WriteFile(path, data, 0o644))
	return sum
}

// dir is a dirtree with these subdirectories, called 0, 1 and so on.
func (s *store) dir(subs ...object.Checksum) object.Checksum {
	dirs := gvariant.NewArray("(sayay)")
	var list []gvariant.Value
	for i, sub := range subs {
		list = append(list, gvariant.NewTuple(gvariant.NewString(fmt.Sprint(i)), gvariant.NewBytes(sub[:]), gvariant.NewBytes(s.meta[:])))
	}
	if list != nil {
		dirs = gvariant.NewArray("(sayay)", list...)
	}
	return s.put(object.KindDirTree, gvariant.NewTuple(gvariant.NewArray("(say)"), dirs).Bytes())
}

func (s *store) commit(parent, tree object.Checksum, number int) object.Checksum {
	var above []byte
	if !parent.IsZero() {
		above = parent[:]
	}
	return s.put(object.KindCommit, gvariant.NewTuple(gvariant.NewArray("{sv}"), gvariant.NewBytes(above), gvariant.NewArray("(say)"),
		gvariant.NewString(fmt.Sprint(number)), gvariant.NewString(""), gvariant.NewUint64(uint64(number)), gvariant.NewBytes(tree[:]), gvariant.NewBytes(s.meta[:])).Bytes())
}

// TestInventory finds what is held, and marks it once.
func TestInventory(t *testing.T) {
	s := newStore(t, "")
	var commits []object.Checksum
	for i := range 300 {
		commits = append(commits, s.commit(object.Checksum{}, s.dir(), i))
	}
	held, err := Take(s.repo, false)
	check(t, err)
	if held.Total() != 302 || held.Len(object.KindCommit) != 300 {
		t.Errorf("%d objects, %d commits", held.Total(), held.Len(object.KindCommit))
	}
	seen := make([]bool, 300)
	for i, sum := range commits {
		name := object.Name{Checksum: sum, Kind: object.KindCommit}
		n, first, there := held.Need(name)
		again, second, still := held.Need(name)
		if !first || !there || n != again || second || !still || !held.Needs(name) || seen[n] {
			t.Errorf("commit %d: %v %v %v %v", i, first, there, second, still)
		}
		seen[n] = true
		if _, _, there := held.Need(object.Name{Checksum: sum, Kind: object.KindFile}); there {
			t.Error("a commit is taken for a file")
		}
	}
	check(t, held.EachUnneeded(object.KindCommit, func(name object.Name) error { return fmt.Errorf("%s is left", name) }))
	if commits, err := Take(s.repo, true); err != nil || commits.Total() != 300 {
		t.Error(commits.Total(), err)
	}
}

func TestAway(t *testing.T) {
	var a away
	known := map[object.Checksum]int{}
	for range 5000 {
		var sum object.Checksum
		sum[9], sum[31] = byte(rand.N(256)), byte(rand.N(8))
		want, there := known[sum]
		if n, ok := a.find(sum); ok != there || ok && n != want {
			t.Fatalf("%s: %d %v, want %d %v", sum, n, ok, want, there)
		}
		n, first := a.add(sum)
		if first == there || there && n != want || n >= len(a.sums) || a.sums[n] != sum {
			t.Fatalf("%s: added as %d %v, want %d %v", sum, n, first, want, there)
		}
		known[sum] = n
	}
	if len(a.sums) != len(known) {
		t.Errorf("%d of %d", len(a.sums), len(known))
	}
}

// TestWalker: each commit and each dirtree once, here and in a parent repository,
// whatever the order of the histories.
func TestWalker(t *testing.T) {
	above := newStore(t, "")
	leaf := above.dir()
	old := above.commit(object.Checksum{}, above.dir(leaf, leaf), 0)
	s := newStore(t, "parent="+above.repo.Path()+"\n")
	middle := s.commit(old, s.dir(s.dir(leaf), leaf), 1)
	tip := s.commit(middle, s.dir(s.dir(leaf)), 2)
	for _, depths := range [][]int{{AllParents}, {0, 1, AllParents, AllParents}, {1, 2}, {2, 0}} {
		held, err := Take(s.repo, false)
		check(t, err)
		w := NewWalker(t.Context(), s.repo, held, true)
		var commits []int
		ways := map[int]int{}
		w.OnCommit = func(n int, _ object.Checksum, _ object.Commit) { commits = append(commits, n) }
		w.OnTree = func(n int) { ways[n]++ }
		for _, depth := range depths {
			check(t, w.History(tip, depth))
		}
		var got []int
		for _, n := range ways {
			got = append(got, n)
		}
		slices.Sort(got)
		if len(commits) != 3 || commits[2] != 2 || !w.Reached(old) || fmt.Sprint(got) != "[1 1 1 2 4]" {
			t.Errorf("%v: commits %v, ways to trees %v", depths, commits, got)
		}
		if n, ok := w.Number(object.Name{Checksum: leaf, Kind: object.KindDirTree}); !ok || n < held.Len(object.KindDirTree) || ways[n] != 4 || w.Len(object.KindDirTree) != 5 {
			t.Errorf("%v: the parent's dirtree is %d %v", depths, n, ok)
		}
	}
}

// TestWalkerEnds: at damage, and when it is told to.
func TestWalkerEnds(t *testing.T) {
	s := newStore(t, "")
	gone := object.Checksum{1}
	tip := s.commit(object.Checksum{}, s.dir(gone), 0)
	walk := func(ctx context.Context) error {
		held, err := Take(s.repo, false)
		check(t, err)
		return NewWalker(ctx, s.repo, held, true).History(tip, 0)
	}
	if err := walk(t.Context()); !errors.As(err, new(*object.NotExistError)) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := walk(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	check(t, os.WriteFile(s.repo.Path()+"/state/"+tip.String()+".commitpartial", nil, 0o644))
	check(t, walk(t.Context()))
}

func TestTips(t *testing.T) {
	s := newStore(t, "")
	tip := s.commit(object.Checksum{}, s.dir(), 0)
	check(t, os.WriteFile(s.repo.Path()+"/refs/heads/main", []byte(tip.String()+"\n"), 0o644))
	tips, err := Tips(s.repo)
	if err != nil || len(tips) != 1 || tips[0].Commit != tip || tips[0].String() != "main" {
		t.Error(tips, err)
	}
	check(t, os.WriteFile(s.repo.Path()+"/refs/heads/bad", []byte("junk\n"), 0o644))
	bad := new(BadRefError)
	if _, err := Tips(s.repo); !errors.As(err, &bad) || bad.Ref.Ref != "bad" || bad.Hint() == "" {
		t.Error(err)
	}
}

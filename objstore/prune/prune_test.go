package prune

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"deployfs/objstore"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
)

// chain is a repository with one history, whose commits have an empty tree each.
type chain struct {
	t       *testing.T
	repo    *objstore.Repo
	commits []object.Checksum // oldest first
}

func newChain(t *testing.T, length int) *chain {
	t.Helper()
	dir := t.TempDir()
	for _, sub := range []string{"objects", "refs/heads", "refs/remotes", "state", "tmp"} {
		check(t, os.MkdirAll(filepath.Join(dir, sub), 0o755))
	}
	check(t, os.WriteFile(dir+"/config", []byte("[core]\nrepo_version=1\nmode=archive-z2\nfsync=false\n"), 0o644))
	repo, err := objstore.Open(dir)
	check(t, err)
	t.Cleanup(func() { repo.Close() })
	c := &chain{t: t, repo: repo}
	meta := c.put(object.KindDirMeta, object.DirMeta{Mode: object.ModeDir | 0o755}.Encode())
	tree := c.put(object.KindDirTree, gvariant.NewTuple(gvariant.NewArray("(say)"), gvariant.NewArray("(sayay)")).Bytes())
	for i := range length {
		var parent []byte
		if i > 0 {
			parent = c.commits[i-1][:]
		}
		c.commits = append(c.commits, c.put(object.KindCommit, commitOf(parent, i, tree, meta)))
	}
	return c
}

func commitOf(parent []byte, number int, tree, meta object.Checksum) []byte {
	return gvariant.NewTuple(gvariant.NewArray("{sv}"), gvariant.NewBytes(parent), gvariant.NewArray("(say)"),
		gvariant.NewString(fmt.Sprint(number)), gvariant.NewString(""), gvariant.NewUint64(0), gvariant.NewBytes(tree[:]), gvariant.NewBytes(meta[:])).Bytes()
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (c *chain) put(kind object.Kind, data []byte) object.Checksum {
	c.t.Helper()
	sum := object.Checksum(sha256.Sum256(data))
	objects, path := c.repo.ObjectFile(object.Name{Checksum: sum, Kind: kind})
	path = filepath.Join(c.repo.Path(), objects.Name(), path)
	check(c.t, os.MkdirAll(filepath.Dir(path), 0o755))
	check(c.t, os.WriteFile(path, data, 0o644))
	return sum
}

func (c *chain) ref(name string, commit int) {
	c.t.Helper()
	path := filepath.Join(c.repo.Path(), "refs/heads", name)
	check(c.t, os.WriteFile(path, []byte(c.commits[commit].String()+"\n"), 0o644))
}

// left shows which commits there are, one digit each.
func (c *chain) left() (text string) {
	for i, sum := range c.commits {
		if ok, _ := c.repo.HasObject(object.Name{Checksum: sum, Kind: object.KindCommit}); ok {
			text += fmt.Sprint(i)
		}
	}
	return text
}

// TestUnion: refs on one history keep what each of them keeps, in whatever order they are met.
func TestUnion(t *testing.T) {
	for _, names := range [][]string{{"a", "b"}, {"b", "a"}} {
		c := newChain(t, 10)
		c.ref(names[0], 9)
		c.ref(names[1], 7)
		r, err := Run(t.Context(), c.repo, Options{RefsOnly: true, Depth: 3})
		if got := c.left(); err != nil || got != "456789" || r.Deleted != 4 || r.Total != 12 {
			t.Errorf("%v: left is %s, %+v, %v", names, got, r, err)
		}
	}
	for _, names := range [][]string{{"all", "one"}, {"one", "zall"}} {
		c := newChain(t, 5)
		c.ref(names[0], 4)
		c.ref(names[1], 4)
		o := Options{Branches: &Branches{Only: []string{"one"}}}
		if _, err := Run(t.Context(), c.repo, o); err != nil || c.left() != "01234" {
			t.Errorf("%v: left is %s, %v", names, c.left(), err)
		}
	}
}

// TestMounted: what is in use is kept without its parents, and told of when nothing else keeps it.
func TestMounted(t *testing.T) {
	c := newChain(t, 8)
	c.ref("main", 7)
	lock, err := c.repo.LockShared(t.Context())
	check(t, err)
	check(t, lock.Lease(c.commits[2]))
	o := Options{RefsOnly: true, Depth: 1, Mounted: []object.Checksum{c.commits[4], c.commits[6], c.commits[4], {9}}}
	r, err := Run(t.Context(), c.repo, o)
	if err != nil || c.left() != "2467" || fmt.Sprint(r.Kept) != fmt.Sprint([]object.Checksum{c.commits[4], c.commits[2]}) {
		t.Errorf("left is %s, %+v, %v", c.left(), r, err)
	}
	o.Force = true
	if r, err := Run(t.Context(), c.repo, o); err != nil || c.left() != "67" || r.Kept != nil {
		t.Errorf("forced: left is %s, %+v, %v", c.left(), r, err)
	}
	if _, err := Run(t.Context(), c.repo, Options{}); err == nil || !strings.Contains(err.Error(), "not in the repository any more") {
		t.Errorf("a lost lease: %v", err)
	}
	check(t, lock.Close())
	if _, err := Run(t.Context(), c.repo, Options{}); err != nil {
		t.Error(err)
	}
}

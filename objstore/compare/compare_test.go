package compare

import (
	"context"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"deployfs/objstore/diff"
	"deployfs/objstore/identity"
)

func sha256Of(data []byte) [32]byte { return sha256.Sum256(data) }

// local is a directory as a side.
func (s *store) local(dir string) *Directory {
	return &Directory{Path: dir, Repo: s.repo, UID: -1, GID: -1, Hashed: new(Amount), Known: identity.Open("", "")}
}

// changes is what differs, as "A/path" and so on.
func changes(t *testing.T, old, new Side, o Options) string {
	t.Helper()
	var got []string
	err := Run(context.Background(), old, new, o, func(c Change) error {
		got = append(got, "ADMR"[c.Kind:c.Kind+1]+c.Path)
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	return strings.Join(got, " ")
}

var sample = map[string]string{
	"a": "same", "b": "one", "gone": "x", "link": "-> a", "dir/f": "one", "dir/sub/g": "one", "old/x": "1", "old/y/z": "2", "kind": "file",
}

// changed is the sample with one change of every kind.
func changed() map[string]string {
	return map[string]string{
		"a": "same", "b": "two", "link": "-> b", "dir/f": "one", "dir/sub/g": "one!", "new/x": "1", "new/y/": "", "kind/below": "1",
	}
}

// TestForms compares every combination of commit and directory.
func TestForms(t *testing.T) {
	s := newStore(t)
	x, y := plant(t, sample), plant(t, changed())
	olds := map[string]Side{"commit": s.commit(x, false), "directory": s.local(x)}
	news := map[string]Side{"commit": s.commit(y, false), "directory": s.local(y)}
	const want = "M/b M/dir/sub/g D/gone M/kind A/kind/below M/link A/new A/new/x A/new/y D/old D/old/x D/old/y D/old/y/z"
	for from, old := range olds {
		for to, new := range news {
			if got := changes(t, old, new, Options{}); got != want {
				t.Errorf("%s, %s:\n got %s\nwant %s", from, to, got, want)
			}
			within := Options{Within: diff.NewPaths([]string{"dir", "old/y"})}
			if got := changes(t, old, new, within); got != "M/dir/sub/g D/old/y D/old/y/z" {
				t.Errorf("%s, %s, within: %s", from, to, got)
			}
			if got := changes(t, old, old, Options{}) + changes(t, new, new, Options{AsOstree: true}); got != "" {
				t.Errorf("%s, %s: a tree differs from itself: %s", from, to, got)
			}
		}
	}
	want2 := "M/b D/gone M/kind M/link M/dir/sub/g D/old A/new A/new/x A/new/y"
	if got := changes(t, olds["commit"], news["commit"], Options{AsOstree: true}); got != want2 {
		t.Errorf("as ostree:\n got %s\nwant %s", got, want2)
	}
}

// TestHashesLittle: a file is hashed only when nothing cheaper tells.
func TestHashesLittle(t *testing.T) {
	s := newStore(t)
	x := plant(t, map[string]string{"copy": "1", "size": "1", "mode": "1x", "touched": "2", "d/linked": "3"})
	commit := s.commit(x, true)
	for name, content := range map[string]string{"size": "longer", "mode": "1x", "copy": "1"} {
		path := filepath.Join(x, name)
		s.must(os.Remove(path))
		s.must(os.WriteFile(path, []byte(content), 0o644))
	}
	s.must(os.Chmod(filepath.Join(x, "mode"), 0o600))
	local := s.local(x)
	if got := changes(t, commit, local, Options{}); got != "M/mode M/size" || local.Hashed.Files.Load() != 3 {
		t.Errorf("%s, %d files hashed", got, local.Hashed.Files.Load())
	}
	// A link that was written in place is the object, too, but not what its name says, nor does its time tell.
	s.must(os.WriteFile(filepath.Join(x, "touched"), []byte("9"), 0o644))
	s.must(os.Chtimes(filepath.Join(x, "touched"), time.Unix(0, 0), time.Unix(0, 0)))
	local = s.local(x)
	if got := changes(t, local, commit, Options{}); got != "M/mode M/size M/touched" || local.Hashed.Files.Load() != 3 {
		t.Errorf("%s, %d files hashed", got, local.Hashed.Files.Load())
	}
	local.Known, local.Hashed = nil, new(Amount)
	if got := changes(t, commit, local, Options{}); got != "M/mode M/size M/touched" || local.Hashed.Files.Load() != 3 {
		t.Errorf("all anew: %s, %d files hashed", got, local.Hashed.Files.Load())
	}
	// As another's, every file differs, and none has to be read for it.
	local = s.local(x)
	local.UID = 4711
	if got := changes(t, commit, local, Options{Within: diff.NewPaths([]string{"d/linked"})}); got != "M/d/linked" || local.Hashed.Files.Load() != 0 {
		t.Errorf("another owner: %s, %d files hashed", got, local.Hashed.Files.Load())
	}
}

// TestRemembers: what was hashed once is not hashed again, until it is written.
func TestRemembers(t *testing.T) {
	t.Parallel() // it waits
	s := newStore(t)
	x := plant(t, map[string]string{"a": "1", "b": "2", "c": "3"})
	if !identity.KeepsCtime(x) {
		t.Skip("the file system of ", x, " is not one whose ctimes are trusted")
	}
	commit := s.commit(x, false)
	cache := t.TempDir()
	hashed := func() int64 {
		local := s.local(x)
		local.Known = identity.Open(cache, x)
		if got := changes(t, commit, local, Options{}); got != "" {
			t.Errorf("differ: %s", got)
		}
		s.must(local.Known.Save())
		return local.Hashed.Files.Load()
	}
	if first, second := hashed(), hashed(); first != 3 || second != 3 {
		t.Errorf("new files: %d and %d hashed", first, second)
	}
	time.Sleep(3100 * time.Millisecond)
	if first, second := hashed(), hashed(); first != 3 || second != 0 {
		t.Errorf("settled files: %d, then %d hashed", first, second)
	}
	s.must(os.WriteFile(filepath.Join(x, "b"), []byte("2"), 0o644))
	if n := hashed(); n != 1 {
		t.Errorf("one was written again: %d hashed", n)
	}
}

func TestErrors(t *testing.T) {
	s := newStore(t)
	x := plant(t, sample)
	commit := s.commit(x, false)
	nop := func(Change) error { return nil }
	for _, test := range []struct {
		old, new Side
		want     string
	}{
		{commit, s.local("/nowhere"), "Error when getting information for file “/nowhere”: No such file or directory"},
		{commit, s.local(x + "/b"), "Error when getting information for file “" + x + "/b/a”: Not a directory"},
		{s.local(x + "/b"), commit, "Error opening directory '" + x + "/b': Not a directory"},
	} {
		for _, as := range []bool{true, false} {
			err := Run(context.Background(), test.old, test.new, Options{AsOstree: as}, nop)
			if err == nil || err.Error() != test.want {
				t.Errorf("%v, want %s", err, test.want)
			}
		}
	}
	stop := errors.New("stop")
	if err := Run(context.Background(), commit, s.local(plant(t, changed())), Options{}, func(Change) error { return stop }); err != stop {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := Run(ctx, commit, s.local(x), Options{}, nop); err != context.Canceled {
		t.Errorf("%v", err)
	}
	local := s.local(x)
	local.Stop = func() error { return stop }
	if err := Run(context.Background(), commit, local, Options{}, nop); err != stop {
		t.Errorf("while hashing: %v", err)
	}
}

// TestRootItself: the root's own attributes are a change, but not to ostree.
func TestRootItself(t *testing.T) {
	s := newStore(t)
	x := plant(t, sample)
	commit := s.commit(x, false)
	s.must(os.Chmod(x, 0o700))
	for _, side := range []Side{s.commit(x, false), s.local(x)} {
		if got := changes(t, commit, side, Options{}); got != "M/" {
			t.Error(got)
		}
		if got := changes(t, commit, side, Options{AsOstree: true}); got != "" {
			t.Error(got)
		}
	}
}

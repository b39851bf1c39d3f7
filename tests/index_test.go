package tests

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// indexState is what `mounts --json` tells of a mount's index.
type indexState struct {
	State string
	Bytes int64
	Error string
}

// indexStates returns the index of each mountpoint whose server c, `deployfs mounts --json`, finds.
func (c command) indexStates(t testing.TB) map[string]indexState {
	t.Helper()
	var records []struct {
		Mountpoint string
		Index      indexState
	}
	text := c.must(t)
	if err := json.Unmarshal([]byte(text), &records); err != nil {
		t.Fatalf("mounts --json: %v\n%s", err, text)
	}
	states := map[string]indexState{}
	for _, r := range records {
		states[r.Mountpoint] = r.Index
	}
	return states
}

func listMounts(t testing.TB) command {
	return command{args: []string{binary(t, "deployfs"), "mounts", "--json"}}
}

// waitIndex waits until the mounts have come to a state; one that has given up is an error.
func waitIndex(t testing.TB, list command, state string, dirs ...string) {
	t.Helper()
	waiting := slices.Clone(dirs)
	arrived := eventually(15*time.Second, func() bool {
		states := list.indexStates(t)
		waiting = slices.DeleteFunc(waiting, func(dir string) bool {
			if states[dir].State == "none" && state != "none" {
				t.Errorf("%s: no index: %s", dir, states[dir].Error)
				return true
			}
			return states[dir].State == state
		})
		return len(waiting) == 0
	})
	if !arrived {
		t.Fatalf("the index is not %s after 15 s: %+v", state, list.indexStates(t))
	}
}

// indexFiles returns the indexes in a repository, by name.
func indexFiles(t testing.TB, repo string) map[string]string {
	t.Helper()
	files := map[string]string{}
	paths, _ := filepath.Glob(repo + "/deployfs/index/*")
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			data = []byte(err.Error())
		}
		files[filepath.Base(path)] = string(data)
	}
	return files
}

// buildIndex builds an index with the program, which has to succeed, and returns the file's path.
func buildIndex(t testing.TB, repo string, args ...string) string {
	t.Helper()
	before := indexFiles(t, repo)
	o := deployfs(t, append([]string{"index", "--repo=" + repo}, args...)...)
	if o.code != 0 || o.err != "" || strings.Count(o.out, "\n") != 1 {
		t.Errorf("%s: exit %d %q %q", o.line, o.code, o.out, o.err)
	}
	for name := range indexFiles(t, repo) {
		if _, old := before[name]; !old {
			return repo + "/deployfs/index/" + name
		}
	}
	t.Fatalf("%s: no new index", o.line)
	return ""
}

// hurts are the ways in which an index is no good, each for the index of one directory.
var hurts = map[string]func(path string) error{
	"modes":  halve,
	"owners": func(path string) error { return flip(path, 2, 3) },
	"links":  func(path string) error { return forgeIndex(path, func(data []byte) { data[16]++ }) }, // its version
	"names":  func(path string) error { return os.Truncate(path, 0) },
	"order": func(path string) error {
		os.Remove(path)
		return os.Mkdir(path, 0o755)
	},
	"acl": func(path string) error {
		os.Remove(path)
		return os.Symlink("/dev/null", path)
	},
}

// TestIndexEqualsCheckout compares mounts with a checkout of the same commit: with --no-index, while
// the index is being built, with one that was built meanwhile, with one that was found damaged and
// built anew, and with one that was there. Nobody says a word about any of it.
func TestIndexEqualsCheckout(t *testing.T) {
	for _, mode := range repoModes {
		t.Run(mode, func(t *testing.T) {
			repo := clone(t, sharedRepo(t, mode, "traps"))
			if err := os.RemoveAll(repo + "/deployfs"); err != nil {
				t.Fatal(err)
			}
			want := checkedOut(t, repo, "traps")
			withoutIndex(t, repo, want)
			whileBuilding(t, repo, want)
			withIndex(t, repo, want)
		})
	}
}

func withoutIndex(t *testing.T, repo string, want map[string]entry) {
	f := mountedForeground(t, "--repo="+repo, "--no-index", "traps")
	same(t, want, snapshot(t, f.dir))
	if state := listMounts(t).indexStates(t)[f.dir]; state != (indexState{State: "none"}) {
		t.Errorf("with --no-index: %+v", state)
	}
	if modeOf(repo+"/deployfs") != 0 {
		t.Error("--no-index made REPO/deployfs")
	}
	umounted(t, f.dir)
}

// whileBuilding lets a number of mounts begin to build at once, two of them the same. What builds
// waits for the repository's lock, so that there is time to look at what they answer.
func whileBuilding(t *testing.T, repo string, want map[string]entry) {
	for dir, hurt := range hurts {
		if err := hurt(buildIndex(t, repo, "--subpath="+dir, "traps")); err != nil {
			t.Fatal(err)
		}
	}
	locked := scratch(t)
	release := lockExclusively(t, locked)
	defer release()
	servers := map[*foreground]map[string]entry{}
	mount := func(want map[string]entry, args ...string) *foreground {
		view := scratch(t)
		bind(t, repo, view)
		f := mountedForeground(t, append([]string{"--repo=" + view, "--no-confine"}, args...)...)
		bind(t, locked+"/.lock", view+"/.lock") // the server has the other one; confined, its builder could not open this one
		servers[f] = want
		return f
	}
	first := mount(want, "traps")
	mount(subtree(want, "deep"), "--subpath=/deep", "traps")
	mount(subtree(want, "deep"), "--subpath=deep/", "traps")
	for dir := range hurts {
		mount(subtree(want, dir), "--subpath=/"+dir, "traps")
	}
	compare := func() {
		dropCaches(t)
		for f, want := range servers {
			same(t, want, snapshot(t, f.dir))
		}
	}
	var dirs []string
	for f := range servers {
		dirs = append(dirs, f.dir)
	}
	waitIndex(t, listMounts(t), "building", dirs...)
	compare()
	release()
	same(t, want, snapshot(t, first.dir)) // whoever answers by now
	waitIndex(t, listMounts(t), "used", dirs...)
	compare()
	for f := range servers {
		umounted(t, f.dir)
		if f.lines() != "" {
			t.Errorf("%s: the server said %q", f.dir, f.lines())
		}
	}
	made := indexFiles(t, repo)
	if len(made) != len(hurts)+2 {
		t.Errorf("want one index for each root, have %q", slices.Sorted(maps.Keys(made)))
	}
}

// bind shows a file or directory in another place until the test ends.
func bind(t testing.TB, what, where string) {
	t.Helper()
	if err := unix.Mount(what, where, "", unix.MS_BIND, ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Unmount(where, unix.MNT_DETACH) })
}

// withIndex has the index from the start, and the verb has nothing to make anew.
func withIndex(t *testing.T, repo string, want map[string]entry) {
	made, inodes := indexFiles(t, repo), must(t, "ls", "-i", repo+"/deployfs/index")
	f := mountedForeground(t, "--repo="+repo, "traps")
	waitIndex(t, listMounts(t), "used", f.dir)
	dropCaches(t)
	got := snapshot(t, f.dir)
	same(t, want, got)
	plausible(t, got, 0)
	same(t, got, snapshot(t, f.dir))
	umounted(t, f.dir)
	if f.lines() != "" {
		t.Errorf("the server said %q", f.lines())
	}
	for dir := range hurts {
		if o := deployfs(t, "index", "--repo="+repo, "--subpath="+dir, "traps"); o.code != 0 || o.err != "" {
			t.Errorf("%s: exit %d %q", o.line, o.code, o.err)
		}
	}
	if now := must(t, "ls", "-i", repo+"/deployfs/index"); now != inodes || !maps.Equal(indexFiles(t, repo), made) {
		t.Errorf("indexes that were good were built anew: %s, then %s", inodes, now)
	}
}

package tests

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// plainClone is a repository of the plain tree without an index.
func plainClone(t testing.TB) string {
	t.Helper()
	repo := clone(t, sharedRepo(t, "archive", "plain"))
	if err := os.RemoveAll(repo + "/deployfs"); err != nil {
		t.Fatal(err)
	}
	return repo
}

// cached returns the indexes in the stranger's cache.
func (s stranger) cached() []string {
	files, _ := filepath.Glob(s.home + "/.cache/deployfs/index/*/*.index")
	return files
}

// mountIndexed mounts as the stranger, waits until an index is used, and returns the names in
// /usr/share/doc that are no numbers.
func (s stranger) mountIndexed(t testing.TB, repo string) string {
	t.Helper()
	bin := binary(t, "deployfs")
	guardNew(t, s.dir, func() { s.command(bin, "mount", "--repo="+repo, "plain", s.dir).must(t) })
	waitIndex(t, s.command(bin, "mounts", "--json"), "used", s.dir)
	names := s.command("sh", "-c", `cd "$0"/usr/share/doc && ls -d [!0-9]*`, s.dir).must(t)
	s.command(bin, "umount", s.dir).must(t)
	return names
}

const docNames = "README\nempty\nself"

// TestIndexOfUser: a user believes root's index; without one the user's is in the user's cache.
func TestIndexOfUser(t *testing.T) {
	s, repo := newStranger(t), plainClone(t)
	bin := binary(t, "deployfs")
	buildIndex(t, repo, "plain")
	if got := s.mountIndexed(t, repo); got != docNames || len(s.cached()) != 0 {
		t.Errorf("with root's index: %q, and in the user's cache %q", got, s.cached())
	}
	before := must(t, "find", repo, "-printf", "%p %T@ %m\n")
	if o := s.command(bin, "index", "--repo="+repo, "--drop", "plain").run(t); o.code != 1 || !strings.HasPrefix(o.err, "error: ") {
		t.Errorf("a user drops root's index: exit %d %q", o.code, o.err)
	}
	if o := s.command(bin, "index", "--repo="+repo, "plain").run(t); o.code != 0 || o.err != "" || len(s.cached()) != 0 {
		t.Errorf("%s: exit %d %q, and in the user's cache %q", o.line, o.code, o.err, s.cached())
	}
	if after := must(t, "find", repo, "-printf", "%p %T@ %m\n"); after != before {
		t.Errorf("a user changed root's repository:\n%s\nwas\n%s", after, before)
	}

	deployfs(t, "index", "--repo="+repo, "--drop", "plain")
	if got := s.mountIndexed(t, repo); got != docNames || len(s.cached()) != 1 || len(indexFiles(t, repo)) != 0 {
		t.Errorf("without root's index: %q, and in the user's cache %q", got, s.cached())
	}
	os.Chmod(s.cached()[0], 0) // one that the user may not read
	o := s.command(bin, "index", "--repo="+repo, "plain").run(t)
	if got := s.mountIndexed(t, repo); o.code != 0 || o.err != "" || got != docNames || modeOf(s.cached()[0])&0o400 == 0 {
		t.Errorf("%s: exit %d %q; %q, mode %o", o.line, o.code, o.err, got, modeOf(s.cached()[0]))
	}
	if o := s.command(bin, "index", "--repo="+repo, "--drop", "plain").run(t); o.code != 0 || o.err != "" || len(s.cached()) != 0 {
		t.Errorf("%s: exit %d %q, and in the user's cache %q", o.line, o.code, o.err, s.cached())
	}
}

// TestIndexOfUnreadable: what a user may not read of a bare repository's objects is the same with the
// user's own index, and without.
func TestIndexOfUnreadable(t *testing.T) {
	s := newStranger(t)
	bin, repo := binary(t, "deployfs"), clone(t, sharedRepo(t, "bare", "traps"))
	os.RemoveAll(repo + "/deployfs")
	names := slices.Sorted(maps.Keys(snapshot(t, forest(t, "traps"))))
	see := func(state string, options ...string) []string {
		args := append(append([]string{bin, "mount", "--repo=" + repo}, options...), "traps", s.dir)
		guardNew(t, s.dir, func() { s.command(args...).must(t) })
		waitIndex(t, s.command(bin, "mounts", "--json"), state, s.dir)
		seen := accessOf(t, s.dir, names)
		s.command(bin, "umount", s.dir).must(t)
		return seen
	}
	without := see("none", "--no-index")
	s.command(bin, "index", "--repo="+repo, "traps").must(t)
	with := see("used")
	if len(s.cached()) != 1 {
		t.Errorf("in the user's cache there is %q", s.cached())
	}
	for i := range without {
		if without[i] != with[i] {
			t.Errorf("with an index: %s\n\twithout: %s", with[i], without[i])
		}
	}
}

// TestIndexLies makes sure that the test below means something.
func TestIndexLies(t *testing.T) {
	s, repo := newStranger(t), plainClone(t)
	if err := lie(buildIndex(t, repo, "plain")); err != nil {
		t.Fatal(err)
	}
	if got := s.mountIndexed(t, repo); !strings.Contains(got, "PWNED!") {
		t.Errorf("root's index is not used: %q", got)
	}
}

const enemyID = 4711

// TestPlantedIndex: an index that another user could have written is not used, and stays as it is.
func TestPlantedIndex(t *testing.T) {
	bin := binary(t, "deployfs")
	own := func(paths ...string) {
		for _, path := range paths {
			if err := os.Lchown(path, enemyID, enemyID); err != nil {
				t.Fatal(err)
			}
		}
	}
	for what, plant := range map[string]func(repo, file string){
		"by another user":      func(repo, file string) { own(repo+"/deployfs", repo+"/deployfs/index", file) },
		"file of another user": func(_, file string) { own(file) },
		"folder for all":       func(repo, _ string) { os.Chmod(repo+"/deployfs/index", 0o777) },
		"folder of folder":     func(repo, _ string) { own(repo + "/deployfs") },
		"file for all":         func(_, file string) { os.Chmod(file, 0o666) },
		"foreign":              func(repo, file string) { own(repo, repo+"/deployfs", repo+"/deployfs/index", file) },
		"link": func(repo, _ string) {
			os.Rename(repo+"/deployfs", repo+"/x")
			os.Symlink("x", repo+"/deployfs")
			own(repo + "/deployfs")
		},
	} {
		t.Run(what, func(t *testing.T) {
			s, repo, cache := newStranger(t), plainClone(t), scratch(t)
			os.Chmod(repo, 0o777)
			file := buildIndex(t, repo, "plain")
			if err := lie(file); err != nil {
				t.Fatal(err)
			}
			plant(repo, file)
			before, _ := os.ReadFile(file)
			if o := s.command(bin, "index", "--repo="+repo, "plain").run(t); o.code != 0 || o.err != "" || len(s.cached()) != 1 {
				t.Errorf("%s: exit %d %q, and in the user's cache %q", o.line, o.code, o.err, s.cached())
			}
			if got := s.mountIndexed(t, repo); got != docNames {
				t.Errorf("the user sees %q", got)
			}
			if after, _ := os.ReadFile(file); string(after) != string(before) {
				t.Error("the user touched it")
			}
			o := deployfs(t, "index", "--repo="+repo, "--cache-dir="+cache, "plain")
			f := mountedForeground(t, "--repo="+repo, "--cache-dir="+cache, "plain")
			waitIndex(t, listMounts(t), "used", f.dir)
			if o.code != 0 || o.err != "" || modeOf(f.dir+"/usr/share/doc/README") == 0 || f.lines() != "" {
				t.Errorf("root: exit %d %q, log %q", o.code, o.err, f.lines())
			}
			umounted(t, f.dir)
		})
	}
}

// TestPlantedCache: neither is one in a user's cache where others can write.
func TestPlantedCache(t *testing.T) {
	s, repo := newStranger(t), plainClone(t)
	bin := binary(t, "deployfs")
	s.command(bin, "index", "--repo="+repo, "plain").must(t)
	if len(s.cached()) != 1 {
		t.Fatal(s.cached())
	}
	file := s.cached()[0]
	folder := filepath.Dir(file)
	if err := lie(file); err != nil {
		t.Fatal(err)
	}
	os.Lchown(file, strangerID, strangerID)
	unix.Chmod(file, 0o446)
	s.command(bin, "index", "--repo="+repo, "plain").must(t)
	if got := s.mountIndexed(t, repo); got != docNames {
		t.Errorf("a file for all: the user sees %q", got)
	}
	if err := lie(file); err != nil {
		t.Fatal(err)
	}
	os.Lchown(file, strangerID, strangerID)
	for path, mode := range map[string]uint32{folder: 0o757, filepath.Dir(folder): 0o770} {
		before := modeOf(path)
		unix.Chmod(path, mode)
		if o := s.command(bin, "index", "--repo="+repo, "plain").run(t); o.code != 1 || !strings.HasPrefix(o.err, "error: ") {
			t.Errorf("%s with mode %o: exit %d %q", path, mode, o.code, o.err)
		}
		guardNew(t, s.dir, func() { s.command(bin, "mount", "--repo="+repo, "plain", s.dir).must(t) })
		time.Sleep(300 * time.Millisecond) // in which an index would be found
		if got := accessOf(t, s.dir, []string{"usr/share/doc/README"})[0]; !strings.Contains(got, "6 bytes") {
			t.Errorf("%s with mode %o: %s", path, mode, got)
		}
		s.command(bin, "umount", s.dir).must(t)
		unix.Chmod(path, before&0o7777)
	}
}

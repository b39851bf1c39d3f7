package tests

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"deployfs/tests/mutate"
)

// mutationTime is how long any command may take with a hostile repository.
const mutationTime = 10 * time.Second

// number reads an environment variable.
func number(t testing.TB, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(name, err)
	}
	return n
}

// TestMutatedRepositories mounts and reads hostile repositories with the built program: a sample, one
// in a hundred of those that are read in process (see TestMutations in fs, which explains the variables).
func TestMutatedRepositories(t *testing.T) {
	needFuse(t)
	count := max(number(t, "DEPLOYFS_MUTATIONS", 300)/100, 1)
	first := number(t, "DEPLOYFS_MUTATION", 0)
	if os.Getenv("DEPLOYFS_MUTATION") != "" {
		count = 1
	}
	seed := number(t, "DEPLOYFS_MUTATION_SEED", 1)
	for i, kind := range mutate.Kinds {
		modes := []string{mutate.Modes[i%len(mutate.Modes)]} // one mode is as good as another
		if kind == "content" {
			modes = mutate.Modes
		}
		for _, mode := range modes {
			t.Run(mode+"/"+kind, func(t *testing.T) {
				v := newVictim(t, mode)
				for n := first; n < first+count && !t.Failed(); n++ {
					t.Run(fmt.Sprint(n), func(t *testing.T) { v.attack(t, kind, seed, n) })
				}
			})
		}
	}
}

// victim is a repository, and what its main looks like while it is good.
type victim struct {
	repo *mutate.Repo
	good map[string]entry
}

func newVictim(t *testing.T, mode string) *victim {
	t.Helper()
	v := &victim{repo: mutate.New(t, scratch(t), mode)}
	must(t, binary(t, "deployfs"), "index", "--repo="+v.repo.Path, "main")
	dir := mounted(t, "--repo="+v.repo.Path, "main")
	v.good = snapshot(t, dir)
	umounted(t, dir)
	return v
}

// attack makes a change, uses the repository, and takes the change back.
func (v *victim) attack(t *testing.T, kind string, seed, n int) {
	what := v.repo.Change(kind, uint64(seed), uint64(n))
	defer v.repo.Undo()
	t.Logf("DEPLOYFS_MUTATION_SEED=%d DEPLOYFS_MUTATION=%d: %s", seed, n, what)
	v.verbs(t)
	verify := []string{"first", "always", "none"}[n%3]
	same := verify != "none" && kind != "index" && kind != "config" && !strings.Contains(what, " became ")
	v.mount(t, verify, same)
	if err := v.repo.Canary.Check(); err != nil {
		t.Error(err)
	}
}

// verbs runs every verb that reads a repository.
func (v *victim) verbs(t *testing.T) {
	t.Helper()
	for _, line := range []string{
		"ls -R -C -X main", "ls -R --json main", "ls -d main /sub/x", "cat main /hello /sub/x /link /empty", "cat --json main /sub/deep/large",
		"show main", "show --json main", "show --raw main", "show --print-sizes main", "show --list-metadata-keys main", "show --print-related main",
		"show --print-detached-metadata-key=ostree.gpgsigs main", "log main", "log --json main", "log --raw a/b", "refs -r", "refs --json", "refs -A",
		"refs -r --collections", "rev-parse main", "rev-parse main^^", "rev-parse 0", "config get core.mode", "index main",
		"blame -r main", "find --json *", "log --oneline --stat main -- sub",
	} {
		args := strings.Fields(line)
		v.tame(t, v.run(t, append([]string{args[0], "--repo=" + v.repo.Path}, args[1:]...)...))
	}
	summary := v.repo.Path + "/summary"
	if info, err := os.Lstat(summary); err == nil && info.Mode().IsRegular() {
		v.tame(t, v.run(t, "show", "--repo="+v.repo.Path, "--print-variant-type=(a(s(taya{sv}))a{sv})", summary))
	}
}

func (v *victim) run(t *testing.T, args ...string) outcome {
	t.Helper()
	start := time.Now()
	o := deployfs(t, args...)
	if d := time.Since(start); d > mutationTime {
		t.Errorf("%s: took %s", o.line, d)
	}
	return o
}

// tame checks that a command ended well, or with one line that says why not.
func (v *victim) tame(t *testing.T, o outcome) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(o.err, "\n"), "\n")
	switch {
	case o.code == 0 && o.err != "":
		t.Errorf("%s: exit 0 and %q", o.line, o.err)
	case o.code != 0 && (o.code != 1 || !strings.HasPrefix(o.err, "error: ") || len(lines) > 2 || len(o.err) > 10_000):
		t.Errorf("%s: exit %d, want 1 and a line `error: ...`, perhaps with a remedy: %q", o.line, o.code, o.err)
	}
	for _, noise := range []string{"goroutine ", "panic", "runtime error", "%!", "\x1b", v.repo.Canary.Secret} {
		if strings.Contains(o.err, noise) {
			t.Errorf("%s: %q in %q", o.line, noise, o.err)
		}
	}
	if strings.Contains(o.out, v.repo.Canary.Secret) {
		t.Errorf("%s: shows what lies outside of the repository: %q", o.line, o.out)
	}
}

// mount mounts main, if that is possible, and reads all of it.
func (v *victim) mount(t *testing.T, verify string, same bool) {
	t.Helper()
	dir := scratch(t)
	var o outcome
	guardNew(t, dir, func() { o = v.run(t, "mount", "--repo="+v.repo.Path, "--verify="+verify, "main", dir) })
	v.tame(t, o)
	if isMounted(t, dir) != (o.code == 0) {
		t.Fatalf("%s: exit %d, mounts %v", o.line, o.code, mountsAt(t, dir))
	}
	if o.code != 0 {
		return
	}
	start := time.Now()
	seen := map[string]entry{}
	v.walk(t, seen, dir, ".")
	if d := time.Since(start); d > mutationTime {
		t.Errorf("reading all of it took %s", d)
	}
	if same {
		for _, wrong := range differences(v.good, seen) {
			if !strings.HasSuffix(wrong, ": missing") { // it was refused
				t.Error(wrong)
			}
		}
	}
	if err := unix.Access(dir, unix.F_OK); err != nil {
		t.Errorf("the mount, after all was read: %v", err)
	}
	v.tame(t, v.run(t, "mounts"))
	umounted(t, dir)
}

// refusal tells whether an error is one that an entry may have. The kernel itself refuses lists of
// access rights that are none; and xattrs of content that nobody has read yet may be listed as the
// repository has them, and then be asked of an index that knows better.
func refusal(err error) bool {
	ofXattr := strings.HasPrefix(err.Error(), "getxattr ")
	return errors.Is(err, unix.EIO) || ofXattr && (errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENODATA))
}

// walk reads what can be read.
func (v *victim) walk(t *testing.T, seen map[string]entry, dir, name string) {
	t.Helper()
	if len(seen) > 5000 {
		return
	}
	e, err := readEntry(dir + "/" + name)
	if err == nil {
		seen[name] = e
	}
	var children []dirent
	if err == nil && e.mode&unix.S_IFMT == unix.S_IFDIR {
		children, err = readDirents(dir + "/" + name)
	}
	if err != nil && !refusal(err) {
		t.Errorf("%q: %v, want EIO", name, err)
	}
	for _, c := range children {
		v.walk(t, seen, dir, filepath.Join(name, c.name))
	}
}

package tests

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// cutsOf says how many of the places where a command may be cut are tried: DEPLOYFS_CUTS, or a few.
func cutsOf(t *testing.T) int {
	t.Helper()
	text := os.Getenv("DEPLOYFS_CUTS")
	if text == "all" {
		return 1 << 30
	}
	if n, err := strconv.Atoi(text); err == nil {
		return n
	}
	return 5
}

// seedOf chooses the places; DEPLOYFS_CUTS_SEED repeats a choice.
func seedOf(t *testing.T) uint64 {
	t.Helper()
	if seed, err := strconv.ParseUint(os.Getenv("DEPLOYFS_CUTS_SEED"), 10, 64); err == nil {
		return seed
	}
	return rand.Uint64()
}

// TestDeedCut kills each writing command before one of its calls: the repository is in order then,
// each ref is the old one or the new one, and the command done again does what it would have done.
func TestDeedCut(t *testing.T) {
	seed, cuts := seedOf(t), cutsOf(t)
	t.Logf("DEPLOYFS_CUTS_SEED=%d", seed)
	for i, c := range deedCases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			k := newCutter(t, c)
			places := rand.New(rand.NewPCG(seed, uint64(i))).Perm(k.calls)
			for _, place := range places[:min(cuts, len(places))] {
				k.cut(place + 1)
			}
			t.Logf("cut at %d of %d calls", min(cuts, len(places)), k.calls)
		})
	}
}

// cutter cuts one command.
type cutter struct {
	t             *testing.T
	c             deedCase
	dir           string
	args          []string
	calls         int
	before, after map[string]string // refs
	objects       []string          // afterwards
	verdict       string            // of ostree fsck, afterwards
	tree          map[string]string // what is made beside the repository
}

func newCutter(t *testing.T, c deedCase) *cutter {
	t.Helper()
	k := &cutter{t: t, c: c}
	k.dir, k.args = deedRoot(t, c)
	k.before = refsOf(t, k.dir+"/repo")
	whole := k.copy()
	defer os.RemoveAll(whole)
	k.calls = cutAt(t, deedCommand(t, whole, k.args), 0)
	k.after, k.objects, k.verdict = refsOf(t, whole+"/repo"), storedIn(t, whole+"/repo"), k.check(whole+"/repo")
	if c.tree != "" {
		k.tree = filesBelow(t, whole+"/"+c.tree)
	}
	if k.calls == 0 {
		t.Fatal("no calls")
	}
	return k
}

func (k *cutter) copy() string {
	k.t.Helper()
	to := scratch(k.t) + "/case"
	must(k.t, "cp", "-a", k.dir, to)
	return to
}

// cut cuts before one call, and looks at what is left.
func (k *cutter) cut(call int) {
	t, dir := k.t, k.copy()
	t.Helper()
	defer os.RemoveAll(filepath.Dir(dir))
	repo := dir + "/repo"
	cutAt(t, deedCommand(t, dir, k.args), call)
	wrong := func(format string, args ...any) {
		t.Helper()
		t.Errorf("cut before call %d: %s", call, fmt.Sprintf(format, args...))
	}
	refs := refsOf(t, repo)
	for name, text := range refs {
		if text != k.before[name] && text != k.after[name] {
			wrong("%s is %q, was %q, is to be %q", name, text, k.before[name], k.after[name])
		}
	}
	for name := range k.before {
		if _, stays := k.after[name]; stays && refs[name] == "" {
			wrong("%s is gone", name)
		}
	}
	if bad := k.check(repo); bad != "" && !k.c.broken {
		wrong("ostree fsck: %s", bad)
	}
	if place := dir + "/" + k.c.tree; k.c.tree != "" && modeOf(place) != 0 && !maps.Equal(filesBelow(t, place), k.tree) {
		wrong("%s is not whole: %q", k.c.tree, filesBelow(t, place))
	}
	if k.c.eats && maps.Equal(refs, k.after) {
		return
	}
	if o := deedCommand(t, dir, k.args).run(t); o.code != 0 && !k.c.once {
		wrong("again: exit %d, %s", o.code, o.err)
	}
	if k.c.again != "" {
		deedCommand(t, dir, strings.Fields(k.c.again)).must(t)
	}
	if again := refsOf(t, repo); !maps.Equal(again, k.after) {
		wrong("refs afterwards are %q, want %q", again, k.after)
	}
	if k.c.tree != "" && !maps.Equal(filesBelow(t, dir+"/"+k.c.tree), k.tree) {
		wrong("%s afterwards is %q", k.c.tree, filesBelow(t, dir+"/"+k.c.tree))
	}
	if again := storedIn(t, repo); !slices.Equal(again, k.objects) {
		wrong("objects afterwards are\n%s\nwant\n%s", strings.Join(again, "\n"), strings.Join(k.objects, "\n"))
	}
	if bad := k.check(repo); bad != k.verdict {
		wrong("ostree fsck afterwards: %q, want %q", bad, k.verdict)
	}
	if left := k.leftovers(dir); len(left) > 0 {
		wrong("left: %q", left)
	}
}

// check has the real ostree check the repository, if there is one.
func (k *cutter) check(repo string) string {
	k.t.Helper()
	if k.c.mode == "" && modeOf(repo+"/objects") == 0 {
		return ""
	}
	o := command{args: []string{"ostree", "--repo=" + repo, "fsck", "-q"}}.run(k.t)
	return o.err
}

// leftovers are temporary files that are still there, also after the next commit where the command
// itself clears nothing. An empty staging directory is none: whoever has just made it may be about to
// lock it, so that it is left alone for some seconds and then used.
func (k *cutter) leftovers(dir string) (left []string) {
	k.t.Helper()
	if !k.c.tidy && k.c.mode != "" && !k.c.broken {
		deedCommand(k.t, dir, []string{"commit", "--repo=repo", "--orphan", "--canonical-permissions", "--tree=dir=src/1"}).must(k.t)
	}
	if !k.c.tidy && (k.c.mode == "" || k.c.broken) {
		return nil
	}
	found, _ := filepath.Glob(dir + "/repo/tmp/*")
	beside, _ := filepath.Glob(dir + "/.*")
	found = append(found, beside...)
	return slices.DeleteFunc(found, func(name string) bool {
		inside, err := os.ReadDir(name)
		empty := err == nil && len(inside) == 0
		return filepath.Base(name) == "cache" || empty && strings.HasPrefix(filepath.Base(name), "staging-")
	})
}

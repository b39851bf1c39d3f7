package tests

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// TestIndexOfDamage injures objects before their index is built, and after: either way what can be
// seen is right, the rest is EIO with one log line, and others are untouched.
func TestIndexOfDamage(t *testing.T) {
	for _, mode := range []string{"archive", "bare", "bare-user"} {
		for _, before := range []bool{true, false} {
			t.Run(fmt.Sprint(mode, " before ", before), func(t *testing.T) {
				w := newWounded(t, mode)
				hurt := map[string]string{}
				if !before {
					buildIndex(t, w.repo, "main")
				}
				for _, in := range injuries(mode) {
					if in.name == "large" || hurt[in.name] != "" {
						continue // large stays good
					}
					sum, path := w.object(in.name)
					if err := in.do(path); err != nil {
						t.Fatal(err)
					}
					hurt[in.name] = sum
				}
				if before {
					buildIndex(t, w.repo, "main")
				}
				f := mountedForeground(t, "--repo="+w.repo, "--cache-dir="+scratch(t), "main")
				waitIndex(t, listMounts(t), "used", f.dir)
				checkInjured(t, w, f, hurt, before)
				umounted(t, f.dir)
			})
		}
	}
}

// checkInjured looks at every entry; what has no content is in an index that was built before.
func checkInjured(t *testing.T, w wounded, f *foreground, hurt map[string]string, before bool) {
	t.Helper()
	for _, name := range []string{"good/file", "tree/inside", "meta/inside", "tree", "meta", "small", "large", "zeros", "xattr", "link"} {
		got, err := readEntry(f.dir + "/" + name)
		if err == nil && name == "tree" {
			err = listError(f.dir + "/tree")
		}
		sum, isHurt := hurt[name]
		inside := name == "tree/inside" || name == "meta/inside"
		switch told := name == "tree" || name == "meta" || name == "link" || inside; {
		case isHurt && (before || !told):
			wantErrno(t, name, err, unix.EIO)
			if lines := f.logged(sum, "/"+name); len(lines) != 1 {
				t.Errorf("%s: want one log line with %s, got %q", name, sum, f.lines())
			}
		case inside && before: // EIO, like its directory
			wantErrno(t, name, err, unix.EIO)
		case err != nil || len(differences(map[string]entry{name: w.want[name]}, map[string]entry{name: got})) > 0:
			t.Errorf("%s: %v, %+v", name, err, got)
		}
	}
}

// TestIndexOfHostileTree lets an index come while directories are shown that mean nothing.
func TestIndexOfHostileTree(t *testing.T) {
	f := newForge(t)
	meta := f.dirmeta()
	ok, sub := f.file(plainFile, []byte("good bytes\n")), f.meta("dirtree", gvTree(nil, nil))
	var dirs []gv
	trees := badTrees(raw(ok), raw(sub), raw(meta))
	for what, data := range trees {
		dirs = append(dirs, gvDir(what, raw(f.meta("dirtree", data)), raw(meta)))
	}
	dirs = append(dirs, gvDir("high-bits", raw(sub), raw(f.meta("dirmeta", gvMeta(1<<16|unix.S_IFDIR)))), gvDir("absent", raw(sub), raw(sumOf([]byte("absent meta")))))
	server := hostileTree(t, f, map[string]string{"absent-file": sumOf([]byte("absent"))}, dirs)
	check := func() {
		for _, what := range slices.Sorted(maps.Keys(trees)) {
			wantErrno(t, "readdir of "+what, listError(server.dir+"/"+what), unix.EIO)
		}
		for _, name := range []string{"high-bits", "absent", "absent-file"} {
			var st unix.Stat_t
			wantErrno(t, name, unix.Lstat(server.dir+"/"+name, &st), unix.EIO)
		}
	}
	check()
	waitIndex(t, listMounts(t), "used", server.dir)
	dropCaches(t)
	check()
}

// TestIndexOfRandomDamage hurts a tenth of all objects before the index is built, or after.
func TestIndexOfRandomDamage(t *testing.T) {
	want := snapshot(t, forest(t, "traps"))
	for _, name := range []string{"xattrs/file", "xattrs/dir"} {
		delete(want[name].xattrs, "user.empty") // dropped by ostree
	}
	for i, mode := range []string{"archive", "bare"} {
		t.Run(mode, func(t *testing.T) {
			repo := clone(t, sharedRepo(t, mode, "traps"))
			if err := os.RemoveAll(repo + "/deployfs"); err != nil {
				t.Fatal(err)
			}
			if i > 0 {
				buildIndex(t, repo, "traps")
			}
			hurtObjects(t, repo, rand.New(rand.NewPCG(uint64(i), 9)))
			if i == 0 {
				buildIndex(t, repo, "traps")
			}
			refused := map[string]int{}
			for state, options := range map[string][]string{"none": {"--no-index"}, "used": nil} {
				args := append(options, "--repo="+repo, "--cache-dir="+scratch(t), "traps")
				f := mountedForeground(t, args...)
				waitIndex(t, listMounts(t), state, f.dir)
				refused[state] = walkDamaged(t, f.dir, want)
				if f.ended() {
					t.Error("the server died")
				}
				umounted(t, f.dir)
			}
			// what was not damaged when the index was built is known all the same
			if refused["used"] > refused["none"] || i == 0 && refused["used"] != refused["none"] {
				t.Errorf("with an index %d of %d entries are refused, without %d", refused["used"], len(want), refused["none"])
			}
		})
	}
}

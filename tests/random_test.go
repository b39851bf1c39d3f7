package tests

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestRandomDamage flips bits in a tenth of all objects, cuts and swaps some, and walks the tree: what
// can be read is right in every attribute and byte, all else is EIO, and the server lives.
func TestRandomDamage(t *testing.T) {
	for _, mode := range []string{"archive", "bare", "bare-user"} {
		want := snapshot(t, forest(t, "traps"))
		for _, name := range []string{"xattrs/file", "xattrs/dir"} {
			delete(want[name].xattrs, "user.empty") // dropped by ostree
		}
		for seed := range uint64(4) {
			t.Run(fmt.Sprint(mode, " seed ", seed), func(t *testing.T) {
				repo := clone(t, sharedRepo(t, mode, "traps"))
				hurt := hurtObjects(t, repo, rand.New(rand.NewPCG(seed, 7)))
				verify := []string{"first", "always"}[seed%2]
				f := mountedForeground(t, "--repo="+repo, "--verify="+verify, "traps")
				refused := walkDamaged(t, f.dir, want)
				t.Logf("%d objects hurt, %d of %d entries refused", hurt, refused, len(want))
				if f.ended() {
					t.Error("the server died")
				}
				umounted(t, f.dir)
			})
		}
	}
}

// hurtObjects damages a tenth of the object files, apart from those without which nothing is shown.
func hurtObjects(t *testing.T, repo string, random *rand.Rand) int {
	t.Helper()
	_, root := objectOf(t, repo, "traps", "/")
	spared := []string{objectPath(repo, root, "dirtree"), objectPath(repo, dirmetaOf(t, repo, "traps", "/"), "dirmeta")}
	objects, err := filepath.Glob(repo + "/objects/??/*")
	if err != nil {
		t.Fatal(err)
	}
	hurt := 0
	for i, path := range objects {
		info, err := os.Lstat(path)
		if err != nil {
			t.Fatal(err)
		}
		if !info.Mode().IsRegular() || info.Size() == 0 || strings.HasSuffix(path, ".commit") || slices.Contains(spared, path) || random.IntN(10) > 0 {
			continue
		}
		switch random.IntN(6) {
		case 0:
			err = os.Truncate(path, random.Int64N(info.Size()))
		case 1:
			err = swap(path, objects[(i+1+random.IntN(len(objects)-1))%len(objects)], spared)
		default:
			err = flip(path, random.IntN(1000), 1000)
		}
		if err != nil {
			t.Fatal(err)
		}
		hurt++
	}
	return hurt
}

// swap exchanges two objects of one kind, so that each is sound but not what its name says.
func swap(a, b string, spared []string) error {
	if filepath.Ext(a) != filepath.Ext(b) || slices.Contains(spared, b) {
		return nil
	}
	return unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE)
}

// walkDamaged reads every entry and returns how many were refused.
func walkDamaged(t *testing.T, dir string, want map[string]entry) int {
	t.Helper()
	refused, wrong := 0, 0
	for _, name := range slices.Sorted(maps.Keys(want)) {
		got, err := readEntry(dir + "/" + name)
		if err == nil && got.mode&unix.S_IFMT == unix.S_IFDIR {
			err = listError(dir + "/" + name)
		}
		if err != nil {
			refused++
			if !errors.Is(err, unix.EIO) {
				t.Errorf("%q: %v, want EIO", name, err)
			}
			continue
		}
		one := differences(map[string]entry{name: want[name]}, map[string]entry{name: got})
		if wrong += len(one); len(one) > 0 && wrong < 10 {
			t.Error(one)
		}
	}
	return refused
}

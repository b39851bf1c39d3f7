package tests

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// heights is the height of each package below the module's root: an import points to a smaller one.
var heights = map[string]int{
	"objstore/gvariant":       0,
	"objstore/delta/bsdiff":   1,
	"objstore/delta/rollsum":  0,
	"objstore/delta/bulk":     5,
	"objstore/delta/xz":       1,
	"objstore/delta/prefix":   0,
	"objstore/delta/scratch":  0,
	"objstore/delta/compile":  8,
	"objstore/fault":          0,
	"objstore/fetch":          0,
	"objstore/halving":        0,
	"objstore/object":         1,
	"objstore/refs":           2,
	"objstore/openpgp":        0,
	"objstore/sign":           2,
	"objstore/tree":           2,
	"objstore/identity":       2,
	"objstore/binding":        2,
	"objstore/diff":           3,
	"objstore/mtree":          3,
	"objstore/modify":         2,
	"objstore/compare":        5,
	"objstore":                4,
	"objstore/history":        4,
	"objstore/index":          5,
	"objstore/trust":          6,
	"objstore/remote":         5,
	"objstore/verify":         5,
	"objstore/facts":          5,
	"objstore/flatpak":        5,
	"objstore/reach":          5,
	"objstore/summary":        5,
	"objstore/prune":          7,
	"objstore/fsck":           6,
	"objstore/lazy":           7,
	"objstore/pull":           8,
	"objstore/medium":         9,
	"objstore/finder":         10,
	"objstore/usage":          8,
	"objstore/transaction":    6,
	"objstore/delta":          7,
	"objstore/delta/unxz":     0,
	"objstore/publish":        7,
	"objstore/tarball":        7,
	"objstore/compose":        8,
	"objstore/attest":         7,
	"checkout":                6,
	"fs/cache":                5,
	"fs/backing":              5,
	"objstore/flight":         0,
	"objstore/words":          1,
	"fs":                      6,
	"fs/history":              7,
	"fs/session":              0,
	"mount":                   1,
	"mount/media":             2,
	"mount/internal/isolated": 0,
	"mount/keeper":            7,
	"mount/doctor":            5,
	"mount/unit":              0,
	"mount/confine":           0,
	"mount/daemon":            8,
	"mount/bisect":            9,
	"mount/metrics":           9,
	"cmd/internal/cli":        0,
	"cmd/internal/date":       0,
	"cmd/internal/httpd":      0,
	"cmd/deployfs/explore":    9,
	"cmd/deployfs":            11,
	"tests/mutate":            0, // for tests alone: see TestMutateIsForTests
}

// drivers run the built programs from outside, so they import nothing of ours but what is below
// them, and nobody imports them.
var drivers = []string{"tests", "bench"}

// homes are the packages that may import a third-party module; `_test` files may use these too.
var homes = map[string][]string{
	"github.com/hanwen/go-fuse/v2":      {"fs", "fs/session", "mount/daemon", "tests"},
	"github.com/dgraph-io/ristretto/v2": {"fs/cache"},
	"github.com/spf13/cobra":            {"cmd/internal/cli", "cmd/deployfs"},
	"github.com/spf13/pflag":            {"cmd/internal/cli", "cmd/deployfs"},
	"github.com/klauspost/compress":     {"objstore", "objstore/tarball", "objstore/transaction"},
	"github.com/ulikunitz/xz":           {"objstore/tarball", "objstore/delta/unxz", "objstore/delta/xz"},
	"github.com/ProtonMail/go-crypto":   {"objstore/openpgp"},
	"github.com/cloudflare/circl":       {"objstore/sign"},
	"github.com/aymanbagabas/go-udiff":  {"objstore/compare"},
	"charm.land/bubbletea/v2":           {"cmd/deployfs/explore"},
	"github.com/charmbracelet/x/ansi":   {"cmd/deployfs/explore"},
	"golang.org/x/sync":                 {"objstore/fetch"},
	"golang.org/x/sys":                  nil, // anywhere
}

// imports returns what each package of the module imports: import path -> importing packages.
func imports(t *testing.T) map[string]map[string]bool {
	t.Helper()
	root := ".."
	found := map[string]map[string]bool{}
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && name != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		pkg, _ := filepath.Rel(root, filepath.Dir(name))
		if found[pkg] == nil {
			found[pkg] = map[string]bool{}
		}
		for _, spec := range file.Imports {
			imported, _ := strconv.Unquote(spec.Path.Value)
			found[pkg][imported] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestLayers holds the direction of imports between our packages.
func TestLayers(t *testing.T) {
	for pkg, list := range imports(t) {
		height, listed := heights[pkg]
		if !listed && !slices.Contains(drivers, pkg) {
			t.Errorf("%s: not in the list of layers", pkg)
		}
		for imported := range list {
			ours, ok := strings.CutPrefix(imported, "deployfs/")
			if !ok || ours == pkg { // a package's external tests import it
				continue
			}
			if slices.Contains(drivers, pkg) && path.Dir(ours) == pkg {
				continue
			}
			if below, ok := heights[ours]; !listed || !ok || below >= height {
				t.Errorf("%s imports %s, which is not below it", pkg, ours)
			}
		}
	}
	for pkg := range heights {
		if _, err := os.Stat(path.Join("..", pkg)); err != nil {
			t.Errorf("%s is in the list of layers, but is no package", pkg)
		}
	}
}

// TestMutateIsForTests keeps what makes repositories hostile out of the programs.
func TestMutateIsForTests(t *testing.T) {
	deps := command{args: []string{"go", "list", "-deps", "deployfs/cmd/..."}, dir: "."}.must(t)
	if !strings.Contains(deps, "deployfs/objstore") || strings.Contains(deps, "deployfs/tests") {
		t.Errorf("the programs are made of\n%s", deps)
	}
}

// TestHomes holds each third-party module to its home.
func TestHomes(t *testing.T) {
	for pkg, list := range imports(t) {
		for imported := range list {
			if first, _, _ := strings.Cut(imported, "/"); !strings.Contains(first, ".") {
				continue
			}
			known := false
			for module, allowed := range homes {
				if imported == module || strings.HasPrefix(imported, module+"/") {
					known = true
					if allowed != nil && !slices.Contains(allowed, pkg) {
						t.Errorf("%s imports %s, whose home is %v", pkg, imported, allowed)
					}
				}
			}
			if !known {
				t.Errorf("%s imports %s, a module without a home", pkg, imported)
			}
		}
	}
}

package tests

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// garden is a directory that changes at random, and what was committed of it.
type garden struct {
	t       *testing.T
	rnd     *rand.Rand
	dir     string
	repo    string
	commits []string // checksums
}

// newGarden plants a first tree, and commits it.
func newGarden(t *testing.T, mode string, seed uint64) *garden {
	t.Helper()
	g := &garden{t: t, rnd: rand.New(rand.NewPCG(seed, 9)), dir: scratch(t), repo: newRepo(t, mode)}
	for range 60 {
		g.add()
	}
	g.commit()
	return g
}

func (g *garden) must(err error) {
	g.t.Helper()
	if err != nil {
		g.t.Fatal(err)
	}
}

func (g *garden) commit() {
	g.commits = append(g.commits, commit(g.t, g.repo, "garden", g.dir))
}

// entries are the paths below the directory, directories or all.
func (g *garden) entries(dirs bool) (list []string) {
	g.must(filepath.WalkDir(g.dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && path != g.dir && (d.IsDir() || !dirs) {
			list = append(list, path)
		}
		return err
	}))
	return list
}

// any is one of the entries; the directory itself when there is none.
func (g *garden) any(dirs bool) string {
	list := g.entries(dirs)
	if len(list) == 0 {
		return g.dir
	}
	return list[g.rnd.IntN(len(list))]
}

// fresh is a path where nothing is.
func (g *garden) fresh() string {
	dir := g.dir
	if g.rnd.IntN(4) > 0 {
		dir = g.any(true)
	}
	name := []string{"a", "B", "a-b", "a.b"}[g.rnd.IntN(4)]
	if g.rnd.IntN(2) == 0 {
		name = oddNames[g.rnd.IntN(len(oddNames))]
	}
	for modeOf(filepath.Join(dir, name)) != 0 {
		name += fmt.Sprint(g.rnd.IntN(10))
	}
	return filepath.Join(dir, name)
}

func (g *garden) add() {
	switch path := g.fresh(); g.rnd.IntN(6) {
	case 0, 1:
		g.must(os.Mkdir(path, 0o755))
	case 2:
		g.must(os.Symlink(fmt.Sprint("to", g.rnd.IntN(4)), path))
	default:
		g.write(path)
	}
}

func (g *garden) write(path string) {
	g.must(os.WriteFile(path, []byte(strings.Repeat(fmt.Sprint(g.rnd.IntN(5)), g.rnd.IntN(4))), 0o644))
}

// change does one thing to one entry.
func (g *garden) change() {
	path := g.any(false)
	if path == g.dir {
		g.add()
		return
	}
	switch mode := modeOf(path) & unix.S_IFMT; g.rnd.IntN(10) {
	case 0:
		g.must(os.RemoveAll(path))
	case 1: // another type
		g.must(os.RemoveAll(path))
		switch {
		case mode != unix.S_IFDIR:
			g.must(os.MkdirAll(path+"/below", 0o755))
		case g.rnd.IntN(2) == 0:
			g.must(os.Symlink("elsewhere", path))
		default:
			g.write(path)
		}
	case 2:
		if to := g.fresh(); !strings.HasPrefix(to, path+"/") {
			g.must(os.Rename(path, to))
		}
	case 3:
		if mode != unix.S_IFLNK {
			g.must(os.Chmod(path, []os.FileMode{0o700, 0o755, 0o644}[g.rnd.IntN(3)]))
		}
	case 4:
		g.must(os.Lchown(path, g.rnd.IntN(3), g.rnd.IntN(3)))
	case 5:
		if mode != unix.S_IFLNK {
			g.must(unix.Lsetxattr(path, "user.x", []byte(fmt.Sprint(g.rnd.IntN(3))), 0))
		}
	case 6, 7:
		if mode == unix.S_IFREG {
			g.write(path)
		}
	default:
		g.add()
	}
}

// compare runs both programs in the directory above the garden's.
func (g *garden) compare(args ...string) {
	g.t.Helper()
	compareVerb(g.t, append([]string{"diff", "--repo=" + g.repo}, args...), filepath.Dir(g.dir))
}

func (g *garden) old() string { return g.commits[g.rnd.IntN(len(g.commits))] }

// TestDiffRandom compares hundreds of pairs of trees, in all forms, with what ostree says of them.
func TestDiffRandom(t *testing.T) {
	t.Parallel()
	for seed, mode := range []string{"bare", "archive", "bare-user", "bare-user-only"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			g := newGarden(t, mode, uint64(seed))
			first := scratch(t)
			must(t, "cp", "-a", g.dir+"/.", first)
			local := "./" + filepath.Base(g.dir)
			for range 12 {
				for range 1 + g.rnd.IntN(12) {
					g.change()
				}
				owner := []string{"--no-xattrs", "--owner-uid=1", "--owner-gid=2", "--stats", "--owner-uid=0"}[g.rnd.IntN(5)]
				g.compare(g.old(), local)
				g.compare(g.dir, g.old(), owner)
				g.compare(first, local, owner)
				g.compare(g.old(), g.dir, owner)
				g.commit()
				g.compare(g.old(), g.old())
				g.compare(g.old(), g.old(), "--stats", "--fs-diff")
				g.compare("garden")
			}
			g.beyond()
		})
	}
}

// changeRecord is what --json tells of a change.
type changeRecord struct{ Path, Status string }

// beyond holds our own forms against ostree's: the same changes, and what is below those that have
// come or gone.
func (g *garden) beyond() {
	for range 8 {
		from, to := g.old(), g.old()
		var doc struct{ Changes []changeRecord }
		text := must(g.t, binary(g.t, "deployfs"), "diff", "--repo="+g.repo, "--json", from, to)
		g.must(json.Unmarshal([]byte(text), &doc))
		want := diffLines(ostree(g.t, g.repo, "diff", from, to) + "\n")
		if got := asOstree(doc.Changes); !slices.Equal(got, want) {
			g.t.Errorf("%s %s:\n   ours %q\nostree %q", from, to, got, want)
		}
	}
}

// asOstree is what ostree would print of changes, sorted: nothing below a directory that was removed,
// or that is one on one side only, and nothing of the root.
func asOstree(changes []changeRecord) (lines []string) {
	hidden := "//"
	for _, c := range changes {
		if c.Path == "/" || strings.HasPrefix(c.Path, hidden+"/") {
			continue
		}
		letter := map[string]string{"added": "A", "removed": "D", "modified": "M", "type_changed": "M"}[c.Status]
		if lines = append(lines, letter+"    "+c.Path+"\n"); c.Status == "removed" || c.Status == "type_changed" {
			hidden = c.Path
		}
	}
	slices.Sort(lines)
	return lines
}

// lineStart is where a line of ostree's begins: a name can hold a line break.
var lineStart = regexp.MustCompile(`(?m)^[MDA]    /`)

// diffLines is the lines that ostree prints, sorted.
func diffLines(out string) (lines []string) {
	starts := lineStart.FindAllStringIndex(out, -1)
	for i, at := range starts {
		end := len(out)
		if i+1 < len(starts) {
			end = starts[i+1][0]
		}
		lines = append(lines, out[at[0]:end])
	}
	slices.Sort(lines)
	return lines
}

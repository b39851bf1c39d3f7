package history

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
	"deployfs/objstore/tree"
)

// fake is a repository in memory.
type fake struct {
	commits map[object.Checksum]object.Commit
	trees   map[object.Checksum]object.DirTree
	reads   int // of dirtrees
}

func newFake() *fake {
	return &fake{commits: map[object.Checksum]object.Commit{}, trees: map[object.Checksum]object.DirTree{}}
}

func absent(sum object.Checksum, kind object.Kind) error {
	return &object.NotExistError{Object: object.Name{Checksum: sum, Kind: kind}}
}

func (f *fake) Commit(sum object.Checksum) (object.Commit, error) {
	c, ok := f.commits[sum]
	if !ok {
		return c, absent(sum, object.KindCommit)
	}
	return c, nil
}

func (f *fake) DirTree(sum object.Checksum) (object.DirTree, error) {
	f.reads++
	t, ok := f.trees[sum]
	if !ok {
		return t, absent(sum, object.KindDirTree)
	}
	return t, nil
}

// sumOf is a checksum that stands for a number.
func sumOf(n int) (sum object.Checksum) {
	copy(sum[:], fmt.Sprintf("%032d", n))
	return sum
}

// content is a checksum that stands for a text.
func content(text string) object.Checksum { return sha256.Sum256([]byte(text)) }

// line adds commits 1 to n, each the parent of the next.
func (f *fake) line(n int) {
	for i := 1; i <= n; i++ {
		f.add(i, sumOf(1))
	}
}

// add adds commit n with a root dirtree.
func (f *fake) add(n int, root object.Checksum) {
	c := object.Commit{Timestamp: uint64(n), Root: root, RootMeta: sumOf(1), Subject: fmt.Sprint("change ", n), Metadata: gvariant.NewArray("{sv}")}
	if n > 1 {
		c.Parent = sumOf(n - 1)
	}
	f.commits[sumOf(n)] = c
}

// dir is a directory: texts are files, dirs are directories.
type dir map[string]any

// tree adds a directory with all below it and returns its dirtree.
func (f *fake) tree(t testing.TB, d dir) object.Checksum {
	t.Helper()
	var files, dirs []gvariant.Value
	for _, name := range slices.Sorted(maps.Keys(d)) {
		switch what := d[name].(type) {
		case string:
			sum := content(what)
			files = append(files, gvariant.NewTuple(gvariant.NewString(name), gvariant.NewBytes(sum[:])))
		case dir:
			sum, meta := f.tree(t, what), sumOf(1)
			dirs = append(dirs, gvariant.NewTuple(gvariant.NewString(name), gvariant.NewBytes(sum[:]), gvariant.NewBytes(meta[:])))
		}
	}
	return f.dirtree(t, files, dirs)
}

func (f *fake) dirtree(t testing.TB, files, dirs []gvariant.Value) object.Checksum {
	t.Helper()
	data := gvariant.NewTuple(gvariant.NewArray("(say)", files...), gvariant.NewArray("(sayay)", dirs...)).Bytes()
	decoded, err := object.DecodeDirTree(data)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	f.trees[sum] = decoded
	return sum
}

// random makes a history of n commits: in each a few names at random places change
// their content, become directories, or files, or vanish.
func random(t testing.TB, seed uint64, n int) *fake {
	r, f, root := rand.New(rand.NewPCG(seed, 0)), newFake(), dir{}
	for i := 1; i <= n; i++ {
		for range r.IntN(3) {
			change(r, root)
		}
		f.add(i, f.tree(t, root))
	}
	return f
}

func change(r *rand.Rand, d dir) {
	for depth := 0; ; depth++ {
		name := string(rune('a' + r.IntN(3)))
		sub, ok := d[name].(dir)
		switch what := r.IntN(6); {
		case ok && what > 0 && depth < 4:
			d = sub
			continue
		case what == 1:
			delete(d, name)
		case what < 4 && depth < 4:
			d[name] = dir{"a": fmt.Sprint(r.IntN(3))}
		default:
			d[name] = fmt.Sprint(r.IntN(3))
		}
		return
	}
}

// everything lists all paths of a commit by brute force, "/" among them.
func (f *fake) everything(t testing.TB, n int) map[string]tree.Entry {
	t.Helper()
	root := tree.Root(f.commits[sumOf(n)])
	all := map[string]tree.Entry{"/": root}
	if err := tree.Walk(f, root, func(e tree.Entry) error { all[e.Path] = e; return nil }); err != nil {
		t.Fatal(err)
	}
	return all
}

// lastChange is the newest commit up to n in which a path changed, by brute force.
func lastChange(all []map[string]tree.Entry, path string, n int) int {
	for ; n > 1; n-- {
		now, here := all[n][path]
		before, there := all[n-1][path]
		if here != there || !same(now, before) {
			return n
		}
	}
	return n
}

// snapshots are the paths of all commits; there is no commit 0.
func (f *fake) snapshots(t testing.TB) []map[string]tree.Entry {
	t.Helper()
	all := make([]map[string]tree.Entry, 1)
	for n := 1; n <= len(f.commits); n++ {
		all = append(all, f.everything(t, n))
	}
	return all
}

// inDir reports whether a path is an entry of a directory, or deep anywhere below it.
func inDir(path, dir string, deep bool) bool {
	name, ok := strings.CutPrefix(path, strings.TrimSuffix(dir, "/")+"/")
	return ok && name != "" && (deep || !strings.Contains(name, "/"))
}

// raw adds a dirtree of directories that are there already.
func (f *fake) raw(t testing.TB, dirs map[string]object.Checksum) object.Checksum {
	t.Helper()
	var list []gvariant.Value
	for _, name := range slices.Sorted(maps.Keys(dirs)) {
		sum, meta := dirs[name], sumOf(1)
		list = append(list, gvariant.NewTuple(gvariant.NewString(name), gvariant.NewBytes(sum[:]), gvariant.NewBytes(meta[:])))
	}
	return f.dirtree(t, nil, list)
}

// doubling makes a tree of more than 2 to the power of depth paths out of depth dirtrees.
func doubling(t testing.TB, f *fake, depth int, bottom string) object.Checksum {
	sum := f.tree(t, dir{"x": bottom, "y": bottom})
	for range depth {
		sum = f.raw(t, map[string]object.Checksum{"x": sum, "y": sum})
	}
	return sum
}

// nested makes a tree with one directory in another.
func nested(t testing.TB, f *fake, depth int) object.Checksum {
	sum := f.tree(t, dir{"x": "1"})
	for range depth {
		sum = f.raw(t, map[string]object.Checksum{"d": sum})
	}
	return sum
}

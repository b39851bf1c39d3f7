package diff

import (
	"context"
	"crypto/sha256"
	"errors"
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

// memory is a loader that counts what it reads.
type memory struct {
	trees map[object.Checksum]object.DirTree
	reads int
}

var errAbsent = errors.New("absent")

func (m *memory) DirTree(sum object.Checksum) (object.DirTree, error) {
	m.reads++
	t, ok := m.trees[sum]
	if !ok {
		return t, errAbsent
	}
	return t, nil
}

// sum is a checksum made of text.
func sum(text string) object.Checksum { return sha256.Sum256([]byte(text)) }

// node is a directory in the making: content of files by name, and directories.
type node struct {
	meta  string
	files map[string]string
	dirs  map[string]*node
}

// at finds or makes the directory at path, "" for the root.
func (n *node) at(path string) *node {
	for name := range strings.SplitSeq(path, "/") {
		if name == "" {
			continue
		}
		if n.dirs == nil {
			n.dirs = map[string]*node{}
		}
		if n.dirs[name] == nil {
			n.dirs[name] = &node{}
		}
		n = n.dirs[name]
	}
	return n
}

// parse makes a tree of lines: "path=content" is a file, "path/" a directory, "path/=meta" one with
// a dirmeta of its own.
func parse(lines ...string) *node {
	root := &node{}
	for _, line := range lines {
		path, value, _ := strings.Cut(line, "=")
		if dir, ok := strings.CutSuffix(path, "/"); ok {
			root.at(dir).meta = value
			continue
		}
		cut := strings.LastIndexByte(path, '/') + 1
		dir := root.at(path[:cut])
		if dir.files == nil {
			dir.files = map[string]string{}
		}
		dir.files[path[cut:]] = value
	}
	return root
}

// add stores a tree and returns its entry.
func (m *memory) add(n *node) tree.Entry {
	bytesOf := func(sum object.Checksum) gvariant.Value { return gvariant.NewBytes(sum[:]) }
	var f, d []gvariant.Value
	for _, name := range slices.Sorted(maps.Keys(n.files)) {
		f = append(f, gvariant.NewTuple(gvariant.NewString(name), bytesOf(sum(n.files[name]))))
	}
	for _, name := range slices.Sorted(maps.Keys(n.dirs)) {
		e := m.add(n.dirs[name])
		d = append(d, gvariant.NewTuple(gvariant.NewString(name), bytesOf(e.Tree), bytesOf(e.Meta)))
	}
	data := gvariant.NewTuple(gvariant.NewArray("(say)", f...), gvariant.NewArray("(sayay)", d...)).Bytes()
	e := tree.Entry{Path: "/", Tree: sha256.Sum256(data), Meta: sum("meta" + n.meta)}
	t, err := object.DecodeDirTree(data)
	if err != nil {
		panic(err)
	}
	if m.trees == nil {
		m.trees = map[object.Checksum]object.DirTree{}
	}
	m.trees[e.Tree] = t
	return e
}

// list is what a comparison emits, as "+path", "-path" and "~path", "!path" where the type changed.
func listChanges(t *testing.T, o Options, m *memory, old, new tree.Entry) []string {
	t.Helper()
	var got []string
	err := o.Trees(context.Background(), m, old, new, func(c Change) error {
		sign := "+-~"[c.Kind : c.Kind+1]
		if c.TypeChanged() {
			sign = "!"
		}
		got = append(got, sign+c.Path)
		if c.Old.Path != "" && c.Old.Path != c.Path || c.New.Path != "" && c.New.Path != c.Path {
			t.Errorf("%+v: the paths differ", c)
		}
		if (c.Kind == Added) != (c.Old == tree.Entry{}) || (c.Kind == Removed) != (c.New == tree.Entry{}) {
			t.Errorf("%+v: an entry is there that should be absent, or the other way round", c)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	return got
}

func TestTrees(t *testing.T) {
	for name, test := range map[string]struct {
		old, new []string
		o        Options
		want     string
		reads    int
	}{
		"equal":               {[]string{"a=1", "d/x=1"}, []string{"a=1", "d/x=1"}, Options{}, "", 0},
		"content":             {[]string{"a=1", "d/x=1"}, []string{"a=2", "d/x=1"}, Options{}, "~/a", 2},
		"deep content":        {[]string{"a/b/c=1", "z/y=1"}, []string{"a/b/c=2", "z/y=1"}, Options{}, "~/a/b/c", 6},
		"meta is not opened":  {[]string{"d/=1", "d/x=1"}, []string{"d/=2", "d/x=1"}, Options{}, "~/d", 2},
		"meta of the root":    {[]string{"/=1", "x=1"}, []string{"/=2", "x=1"}, Options{}, "~/", 0},
		"meta and content":    {[]string{"d/=1", "d/x=1"}, []string{"d/=2", "d/x=2"}, Options{}, "~/d ~/d/x", 4},
		"added, removed":      {[]string{"a=1", "c=1", "d=1"}, []string{"b=1", "c=1", "e=1"}, Options{}, "-/a +/b -/d +/e", 2},
		"directories":         {[]string{"a/x=1", "k=1"}, []string{"b/x=1", "k=1"}, Options{}, "-/a +/b", 2},
		"directories, deep":   {[]string{"a/x=1", "k=1"}, []string{"b/x/y=1", "k=1"}, Options{Deep: true}, "-/a -/a/x +/b +/b/x +/b/x/y", 5},
		"file to directory":   {[]string{"a=1"}, []string{"a/x=1"}, Options{}, "!/a", 2},
		"and in depth":        {[]string{"a=1"}, []string{"a/x=1"}, Options{Deep: true}, "!/a +/a/x", 3},
		"directory to file":   {[]string{"a/x=1"}, []string{"a=1"}, Options{Deep: true}, "!/a -/a/x", 3},
		"order":               {[]string{"a/x=1", "a-b=1", "a.c/y=1", "b=1"}, []string{"a/x=2", "a-b=2", "a.c/y=2", "b=2"}, Options{}, "~/a/x ~/a-b ~/a.c/y ~/b", 6},
		"within a file":       {[]string{"a/x=1", "a/y=1", "b/x=1"}, []string{"a/x=2", "a/y=2", "b/x=2"}, Options{Within: NewPaths([]string{"a/x"})}, "~/a/x", 4},
		"within a directory":  {[]string{"a/x=1", "a/y=1", "b/x=1"}, []string{"a/x=2", "a/y=2", "b/x=2"}, Options{Within: NewPaths([]string{"/a/"})}, "~/a/x ~/a/y", 4},
		"within what is new":  {[]string{"a=1"}, []string{"d/e/f=1", "d/g=1", "a=1"}, Options{Within: NewPaths([]string{"d/e"})}, "+/d/e", 3},
		"within two":          {[]string{"a/x=1", "ab/y=1", "b=1"}, []string{"a/x=2", "ab/y=2", "b=2"}, Options{Within: NewPaths([]string{"b", "a", "./a/x/.."})}, "~/a/x ~/b", 4},
		"within nothing":      {[]string{"a/x=1"}, []string{"a/x=2"}, Options{Within: NewPaths([]string{"a/x/y", "q"})}, "", 4},
		"within the root":     {[]string{"a/x=1", "/=1"}, []string{"a/x=2", "/=2"}, Options{Within: NewPaths([]string{"/"})}, "~/ ~/a/x", 4},
		"within changed kind": {[]string{"a=1"}, []string{"a/x/y=1", "a/z=1"}, Options{Within: NewPaths([]string{"a/x"}), Deep: true}, "+/a/x +/a/x/y", 4},
		"empty directories":   {[]string{"a/"}, []string{"b/"}, Options{Deep: true}, "-/a +/b", 4},
	} {
		m := &memory{}
		got := listChanges(t, test.o, m, m.add(parse(test.old...)), m.add(parse(test.new...)))
		if strings.Join(got, " ") != test.want || m.reads != test.reads {
			t.Errorf("%s: %q with %d reads, want %q with %d", name, got, m.reads, test.want, test.reads)
		}
	}
}

// TestAbsent: a tree against nothing is all there is in it.
func TestAbsent(t *testing.T) {
	m := &memory{}
	e := m.add(parse("a/x=1", "b=1"))
	if got := listChanges(t, Options{}, m, tree.Entry{}, e); !slices.Equal(got, []string{"+/"}) || m.reads != 0 {
		t.Errorf("%q with %d reads", got, m.reads)
	}
	if got := listChanges(t, Options{Deep: true}, m, e, tree.Entry{}); !slices.Equal(got, []string{"-/", "-/a", "-/a/x", "-/b"}) {
		t.Errorf("%q", got)
	}
	if got := listChanges(t, Options{Within: NewPaths([]string{"a"})}, m, tree.Entry{}, e); !slices.Equal(got, []string{"+/a"}) {
		t.Errorf("%q", got)
	}
}

// TestSubtrees: the paths of two directories that are no roots.
func TestSubtrees(t *testing.T) {
	m := &memory{}
	old, new := m.add(parse("x=1", "y=1")), m.add(parse("x=2", "y=1"))
	old.Path, new.Path = "/usr/lib", "/usr/lib"
	if got := listChanges(t, Options{}, m, old, new); !slices.Equal(got, []string{"~/usr/lib/x"}) {
		t.Errorf("%q", got)
	}
	if got := listChanges(t, Options{Within: NewPaths([]string{"usr"})}, m, old, new); !slices.Equal(got, []string{"~/usr/lib/x"}) {
		t.Errorf("%q", got)
	}
}

func TestErrors(t *testing.T) {
	m := &memory{}
	old, new := m.add(parse("a/x=1", "b=1", "c=1")), m.add(parse("a/x=2", "b=2", "c=2"))
	nop := func(Change) error { return nil }
	stop := errors.New("stop")
	seen := 0
	err := Trees(context.Background(), m, old, new, func(c Change) error {
		if seen++; c.Path == "/b" {
			return stop
		}
		return nil
	})
	if err != stop || seen != 2 {
		t.Errorf("%v after %d", err, seen)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := Trees(ctx, m, old, new, nop); err != context.Canceled {
		t.Errorf("cancelled: %v", err)
	}
	if err := Trees(context.Background(), m, old, tree.Entry{Path: "/f", Content: sum("1")}, nop); err == nil || err.Error() != "Not a directory" {
		t.Errorf("a file: %v", err)
	}
	if err := Trees(context.Background(), m, old, tree.Entry{Tree: sum("none")}, nop); err != errAbsent {
		t.Errorf("a broken tree: %v", err)
	}
}

// TestDepth: a chain that is too deep, as one that damage closed to a ring, ends with an error.
func TestDepth(t *testing.T) {
	m := &memory{}
	old, new := parse("d/d/d/x=1"), parse("d/d/d/x=2")
	a, b := m.add(old), m.add(new)
	m.trees[m.add(old.at("d/d/d")).Tree], m.trees[m.add(new.at("d/d/d")).Tree] = m.trees[a.Tree], m.trees[b.Tree]
	if err := Trees(context.Background(), m, a, b, func(Change) error { return nil }); err == nil || !strings.Contains(err.Error(), "4096 directories deep") {
		t.Errorf("%v", err)
	}
}

// TestCost: one changed file among half a million costs the way to it.
func TestCost(t *testing.T) {
	m := &memory{}
	root := &node{}
	for i := range 20 {
		for k := range 20 {
			dir := root.at(fmt.Sprintf("d%d/e%d", i, k))
			dir.files = map[string]string{}
			for n := range 50 {
				dir.files[fmt.Sprint("f", n)] = fmt.Sprint(i, k, n)
			}
		}
	}
	old := m.add(root)
	root.at("d7/e9").files["f3"] = "new"
	new := m.add(root)
	if got := listChanges(t, Options{}, m, old, new); !slices.Equal(got, []string{"~/d7/e9/f3"}) || m.reads != 6 {
		t.Errorf("%q with %d reads", got, m.reads)
	}
}

// flat is a tree as a list: each path and what it is.
func flat(n *node, path string, into map[string]string) {
	for name, content := range n.files {
		into[path+"/"+name] = "f" + content
	}
	for name, dir := range n.dirs {
		into[path+"/"+name] = "d" + dir.meta
		flat(dir, path+"/"+name, into)
	}
}

// TestRandom compares the merge with a comparison of two complete lists.
func TestRandom(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	random := func() *node {
		var lines []string
		for range rnd.IntN(30) {
			path := ""
			for range rnd.IntN(4) {
				path += string(rune('a'+rnd.IntN(3))) + "d/"
			}
			if rnd.IntN(3) == 0 && path != "" {
				lines = append(lines, path+"="+fmt.Sprint(rnd.IntN(3)))
			} else {
				lines = append(lines, path+string(rune('a'+rnd.IntN(3)))+"-="+fmt.Sprint(rnd.IntN(3)))
			}
		}
		return parse(lines...)
	}
	for range 300 {
		a, b := random(), random()
		m := &memory{}
		got := listChanges(t, Options{Deep: true}, m, m.add(a), m.add(b))
		x, y := map[string]string{}, map[string]string{}
		flat(a, "", x)
		flat(b, "", y)
		var want []string
		for path, is := range x {
			switch now, there := y[path]; {
			case !there:
				want = append(want, "-"+path)
			case now[0] != is[0]:
				want = append(want, "!"+path)
			case now != is:
				want = append(want, "~"+path)
			}
		}
		for path := range y {
			if _, there := x[path]; !there {
				want = append(want, "+"+path)
			}
		}
		slices.SortFunc(want, func(a, b string) int {
			return slices.Compare(strings.Split(a[1:], "/"), strings.Split(b[1:], "/"))
		})
		if a.meta != b.meta {
			want = append([]string{"~/"}, want...)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("got %q\nwant %q", got, want)
		}
	}
}

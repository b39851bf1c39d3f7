package index

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"strings"
	"testing"

	"deployfs/objstore/object"
)

// odd is a value with every byte.
func odd() []byte {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	return all
}

var (
	label      = object.Xattr{Name: "security.selinux", Value: []byte("system_u:object_r:usr_t:s0\x00")}
	capability = object.Xattr{Name: "security.capability", Value: odd()}
	large      = object.Xattr{Name: "user." + strings.Repeat("n", 250), Value: bytes.Repeat([]byte("v"), 1<<16)}
	hollow     = object.Xattr{Name: "user.empty", Value: []byte{}}
)

// sample has an entry of each kind, equal directories and equal xattr sets.
func sample() *folderModel {
	same := newFolder(map[string]any{"a": regular(0o644, 3), "sub": newFolder(map[string]any{"b": symlink("a")})})
	sticky := newFolder(nil)
	sticky.meta = object.DirMeta{UID: 1, GID: 2, Mode: object.ModeDir | 0o1777, Xattrs: []object.Xattr{label}}
	root := newFolder(map[string]any{
		"bin": newFolder(map[string]any{
			"sudo": object.Header{UID: 7, GID: 8, Mode: object.ModeRegular | 0o4755, Size: 10, Xattrs: []object.Xattr{capability, label}},
			"su":   object.Header{UID: 7, GID: 8, Mode: object.ModeRegular | 0o4755, Size: 11, Xattrs: []object.Xattr{capability, label}},
			"sh":   symlink("bash"), "bash": regular(0o755, 70000, label),
		}),
		"empty": regular(0o600, 0), "no": regular(0, 1),
		"first": same, "second": same, "none": newFolder(nil), "tmp": sticky,
		"link": symlink(strings.Repeat("t", 4095)), "link2": symlink("bash"),
		"large": regular(0o644, 1, hollow, large),
		" ":     regular(0o644, 2), "new\nline \x01\x7f": regular(0o644, 2), "日本 ü": newFolder(nil), "*?[a]\\": newFolder(nil), "ünder": symlink("ü\n"),
		longest: regular(0o644, 2), "...": regular(0o644, 2), "\U0010ffff": regular(0o644, 2),
		"a": newFolder(map[string]any{longest: newFolder(nil)}), "a-": regular(0o644, 1), "a.": regular(0o644, 1), "a0": regular(0o644, 1),
	})
	root.meta = object.DirMeta{UID: 1<<32 - 1, GID: 5, Mode: object.ModeDir | 0o2750, Xattrs: []object.Xattr{hollow}}
	return root
}

func TestRoundTrip(t *testing.T) {
	for name, model := range map[string]*folderModel{
		"empty":  newFolder(nil),
		"sample": sample(),
		"random": randomFolder(rand.New(rand.NewPCG(1, 2)), 4),
	} {
		t.Run(name, func(t *testing.T) {
			m := newMemory()
			x := m.built(t, model)
			m.check(t, x, model)
			for object, n := range m.asked {
				if n != 1 && object.Checksum != m.sums[model].Meta { // the root's dirmeta can be another's, too
					t.Errorf("%s was read %d times", object, n)
				}
			}
		})
	}
}

// randomFolder is a tree of some depth.
func randomFolder(random *rand.Rand, depth int) *folderModel {
	entries := map[string]any{}
	name := func() string { return strings.Repeat(string(rune('a'+random.IntN(2000))), 1+random.IntN(80)) }
	for range random.IntN(30) {
		switch random.IntN(4) {
		case 0:
			entries[name()] = symlink(name())
		default:
			h := regular(uint32(random.IntN(0o10000)), uint64(random.IntN(10000)))
			h.UID, h.GID = random.Uint32N(4), random.Uint32N(4)
			if random.IntN(5) == 0 {
				h.Xattrs = []object.Xattr{{Name: "user." + name(), Value: []byte(name())}}
			}
			entries[name()] = h
		}
	}
	if depth > 0 {
		for range random.IntN(6) {
			entries[name()] = randomFolder(random, depth-1)
		}
	}
	f := newFolder(entries)
	f.meta.Mode = object.ModeDir | uint32(random.IntN(0o10000))
	return f
}

// TestOnce: equal directories, xattr sets and targets are stored once.
func TestOnce(t *testing.T) {
	m := newMemory()
	x := m.built(t, sample())
	// root, bin, its four empty ones as one, first and sub, a
	if dirs, rows := int(x.RootDir())+1, x.Len(); dirs != 6 || rows != 22+4+2+1+1 {
		t.Errorf("%d directories, %d rows", dirs, rows)
	}
	// none, label, capability and label, hollow and large, hollow
	if sets := len(x.sets)/setSize - 1; sets != 5 {
		t.Errorf("%d xattr sets", sets)
	}
	if n := bytes.Count(x.targets, []byte("bash")); n != 1 {
		t.Errorf("a target is stored %d times", n)
	}
	first, _ := x.Find(x.RootDir(), []byte("first"))
	second, _ := x.Find(x.RootDir(), []byte("second"))
	row, _, _ := x.Entries(x.RootDir())
	if a, b := x.Subdir(row+Row(first)), x.Subdir(row+Row(second)); a != b {
		t.Errorf("equal directories are %d and %d", a, b)
	}
	if !x.HasXattrs() {
		t.Error("no xattrs")
	}
}

func TestHasXattrs(t *testing.T) {
	plain := newFolder(map[string]any{"f": regular(0o644, 3), "l": symlink("f"), "d": newFolder(nil)})
	labelled := newFolder(nil)
	labelled.meta.Xattrs = []object.Xattr{label}
	for name, c := range map[string]struct {
		model *folderModel
		want  bool
	}{
		"empty": {newFolder(nil), false}, "none": {plain, false},
		"file":   {newFolder(map[string]any{"f": regular(0o644, 3, label)}), true},
		"root":   {labelled, true},
		"folder": {newFolder(map[string]any{"d": labelled}), true},
	} {
		if x := newMemory().built(t, c.model); x.HasXattrs() != c.want {
			t.Errorf("%s: %v", name, x.HasXattrs())
		}
	}
	m := newMemory()
	m.add(plain)
	delete(m.headers, fileSum(plain.files["f"]))
	if x := m.built(t, plain); !x.HasXattrs() {
		t.Error("what was not read has no xattrs")
	}
}

// TestCrowd is one directory of 100,000 names.
func TestCrowd(t *testing.T) {
	entries := map[string]any{}
	file := regular(0o644, 3)
	for i := range 100_000 {
		entries[fmt.Sprintf("%x-%d", i*7919%65536, i)] = file
	}
	model, m := newFolder(entries), newMemory()
	m.check(t, m.built(t, model), model)
	if len(m.asked) != 3 {
		t.Errorf("%d objects were read", len(m.asked))
	}
}

// chain is a tree of nested directories.
func chain(depth int) *folderModel {
	f := newFolder(map[string]any{"end": regular(0o644, 1)})
	for i := range depth {
		f = newFolder(map[string]any{"d": f, "f": regular(0o644, uint64(i%5))})
	}
	return f
}

// TestDeep: what is nested more deeply than a filesystem shows is a gap.
func TestDeep(t *testing.T) {
	for depth, gap := range map[int]bool{500: false, maxDepth: false, maxDepth + 1: true, 2 * maxDepth: true} {
		model, m := chain(depth), newMemory()
		x := m.built(t, model)
		var gaps []string
		if gap {
			gaps = []string{strings.Repeat("/d", maxDepth+1)}
		}
		m.check(t, x, model, gaps...)
	}
}

// TestGaps: what is absent or damaged is a gap, and nothing else is.
func TestGaps(t *testing.T) {
	inner := newFolder(map[string]any{"file": regular(0o644, 5)})
	hurt := newFolder(map[string]any{"file": regular(0o644, 6)})
	meta := newFolder(map[string]any{"file": regular(0o644, 7)})
	meta.meta.Mode = object.ModeDir | 0o711
	model := newFolder(map[string]any{
		"a": newFolder(map[string]any{"hurt": hurt, "good": inner}), "b": newFolder(map[string]any{"hurt": hurt}), "meta": meta,
		"file": regular(0o644, 8), "same": regular(0o644, 8), "empty": regular(0o644, 0), "link": symlink("there"), "good": inner,
	})
	tree := func(m *memory) object.Name { return object.Name{Checksum: m.sums[hurt].Tree, Kind: object.KindDirTree} }
	dirmeta := func(m *memory) object.Name { return object.Name{Checksum: m.sums[meta].Meta, Kind: object.KindDirMeta} }
	header := func(name string) (object.Checksum, object.Header) { h := model.files[name]; return fileSum(h), h }
	for name, c := range map[string]struct {
		damage func(m *memory)
		gaps   []string
	}{
		"nothing":         {func(m *memory) {}, nil},
		"no dirtree":      {func(m *memory) { delete(m.meta, tree(m)) }, []string{"/a/hurt", "/b/hurt"}},
		"damaged dirtree": {func(m *memory) { m.meta[tree(m)] = []byte{0} }, []string{"/a/hurt", "/b/hurt"}},
		"no dirmeta":      {func(m *memory) { delete(m.meta, dirmeta(m)) }, []string{"/meta"}},
		"damaged dirmeta": {func(m *memory) { m.meta[dirmeta(m)] = model.meta.Encode() }, []string{"/meta"}},
		"no content":      {func(m *memory) { sum, _ := header("file"); delete(m.headers, sum) }, []string{"/file", "/same"}},
		"damaged empty file": {func(m *memory) {
			sum, h := header("empty")
			h.Mode |= 0o111
			m.headers[sum] = h
		}, []string{"/empty"}},
		"file that was cut to nothing": {func(m *memory) {
			sum, h := header("file")
			h.Size = 0
			m.headers[sum] = h
		}, []string{"/file", "/same"}},
		"damaged link": {func(m *memory) {
			sum, h := header("link")
			h.Target = "elsewhere"
			m.headers[sum] = h
		}, []string{"/link"}},
		"many": {func(m *memory) {
			delete(m.meta, tree(m))
			delete(m.meta, dirmeta(m))
			m.headers = map[object.Checksum]object.Header{}
		}, []string{"/a/hurt", "/b/hurt", "/meta", "/file", "/same", "/empty", "/link", "/good/file", "/a/good/file"}},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMemory()
			m.add(model)
			c.damage(m)
			x := m.built(t, model)
			m.check(t, x, model, c.gaps...)
			if x.HasXattrs() != (len(c.gaps) > 0) {
				t.Errorf("has xattrs: %v", x.HasXattrs())
			}
		})
	}
}

// TestRootGap: without its root an index is of nothing.
func TestRootGap(t *testing.T) {
	model := sample()
	for name, damage := range map[string]func(m *memory, root Root){
		"no dirtree": func(m *memory, root Root) { delete(m.meta, object.Name{Checksum: root.Tree, Kind: object.KindDirTree}) },
		"no dirmeta": func(m *memory, root Root) { delete(m.meta, object.Name{Checksum: root.Meta, Kind: object.KindDirMeta}) },
		"other tree": func(m *memory, root Root) {
			m.meta[object.Name{Checksum: root.Tree, Kind: object.KindDirTree}] = []byte{0}
		},
		"junk": func(m *memory, root Root) {
			m.meta[object.Name{Checksum: root.Meta, Kind: object.KindDirMeta}] = []byte("junk")
		},
	} {
		m := newMemory()
		root := m.add(model)
		damage(m, root)
		data, err := Build(context.Background(), m, root, 0)
		var corrupt *object.CorruptError
		if data != nil || !errors.Is(err, fs.ErrNotExist) && !errors.As(err, &corrupt) {
			t.Errorf("%s: %d bytes, %v", name, len(data), err)
		}
	}
}

// TestSame: what is the same gives the same bytes, whatever the threads do.
func TestSame(t *testing.T) {
	model := randomFolder(rand.New(rand.NewPCG(3, 4)), 5)
	first := newMemory().data(t, model)
	for range 5 {
		if !bytes.Equal(newMemory().data(t, model), first) {
			t.Fatal("two builds differ")
		}
	}
	m := newMemory()
	other, err := Build(context.Background(), m, m.add(model), 8)
	if err != nil || bytes.Equal(other, first) {
		t.Errorf("another flavour gives the same bytes, %v", err)
	}
}

// slow is a source that ends a build from within.
type slow struct {
	*memory
	cancel func()
}

func (s slow) DirTree(sum object.Checksum) (object.DirTree, error) {
	s.cancel()
	return s.memory.DirTree(sum)
}

func TestCancelled(t *testing.T) {
	m := newMemory()
	root := m.add(sample())
	ctx, cancel := context.WithCancel(context.Background())
	for _, src := range []Source{slow{m, cancel}, m} { // in the middle, and before
		if data, err := Build(ctx, src, root, 0); !errors.Is(err, context.Canceled) || data != nil {
			t.Errorf("%d bytes, %v", len(data), err)
		}
	}
}

// realistic is a tree as a distribution has it: long names, few owners, modes
// and labels, one in eight a directory, one in eight a link.
func realistic(random *rand.Rand, depth int, count *int) *folderModel {
	entries := map[string]any{}
	for i := range 8 + random.IntN(24) {
		*count++
		name := fmt.Sprintf("%s%d.%s", strings.Repeat("lib", 1+random.IntN(5)), random.IntN(1000)*100+i, []string{"so", "mo", "h", "png"}[random.IntN(4)])
		switch kind := random.IntN(8); {
		case kind == 0 && depth > 0:
			f := realistic(random, depth-1, count)
			f.meta.Xattrs = []object.Xattr{label}
			entries[name] = f
		case kind == 1:
			entries[name] = symlink("../" + name)
		default:
			entries[name] = regular([]uint32{0o644, 0o755, 0o4755}[random.IntN(3)], uint64(random.IntN(300)), label)
		}
	}
	return newFolder(entries)
}

// TestSize holds the promise of 1.5 times the names and 64 bytes a row.
func TestSize(t *testing.T) {
	count := 0
	model := newFolder(map[string]any{})
	random := rand.New(rand.NewPCG(5, 6))
	for i := range 40 {
		model.folders[fmt.Sprint("dir", i)] = realistic(random, 4, &count)
	}
	m := newMemory()
	x := m.built(t, model)
	m.check(t, x, model)
	names, size := len(x.names), x.Size()-len(x.targets)
	t.Logf("%d rows, %d bytes of names: %d bytes, %.1f a row beside its name", x.Len(), names, size, float64(size-names)/float64(x.Len()))
	if x.Len() < 5000 || size > names*3/2+64*x.Len() {
		t.Errorf("%d bytes for %d rows with %d bytes of names", size, x.Len(), names)
	}
}

// TestEmptyFolders: what has no files has no more than its share, too.
func TestEmptyFolders(t *testing.T) {
	model := newFolder(nil)
	for i := range 1000 {
		f := newFolder(map[string]any{fmt.Sprintf("%04d", i): newFolder(nil)})
		f.meta.Mode = object.ModeDir | uint32(i%8)
		model.folders[fmt.Sprintf("folder%d", i)] = f
	}
	m := newMemory()
	x := m.built(t, model)
	m.check(t, x, model)
	if limit := len(x.names)*3/2 + 64*x.Len(); x.Size() > limit {
		t.Errorf("%d bytes, want at most %d", x.Size(), limit)
	}
}

func BenchmarkBuild(b *testing.B) {
	count := 0
	m := newMemory()
	root := m.add(realistic(rand.New(rand.NewPCG(5, 6)), 6, &count))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Build(context.Background(), m, root, 0); err != nil {
			b.Fatal(err)
		}
	}
}

package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const (
	// largeFile is the path of the large file.
	largeFile = "large.img"
	// smallFile is the size up to which a file counts as small, in bytes.
	smallFile = 64 << 10
)

// forest is the plan of a tree that looks like a /usr. The same plan comes from the same number of
// entries and the same shape, always.
type forest struct {
	name   string
	dirs   []string // each after its parent
	links  []link
	files  []file // in path order
	counts counts
}

type link struct{ path, target string }

type file struct {
	path   string
	size   int64
	mode   os.FileMode
	source string // file that it is a copy of; "" for noise
}

// counts is what is left to say of a plan after its names are forgotten.
type counts struct {
	entries, dirs, links int
	bytes                int64
}

// shape is what makes one forest differ from another of the same size.
type shape struct {
	large int64 // bytes of the large file; 0: there is none
	tiny  bool  // files of 1 KiB on average, not 9
	graft graft
}

// Of each hundred entries of the /usr that was looked at, these many are directories and links.
const (
	dirPercent  = 7
	linkPercent = 6
	topDirs     = 8 // in the root
)

// plan makes the plan of a tree of so many entries, those of its graft and the large file among them.
func plan(name string, entries int, s shape) *forest {
	f := &forest{name: name}
	rng := rand.New(rand.NewPCG(uint64(entries), 1))
	for i := range entries * dirPercent / 100 {
		f.dirs = append(f.dirs, filepath.Join(f.home(rng), nameOf(rng, i, "")))
	}
	for i := range entries * linkPercent / 100 {
		f.links = append(f.links, link{filepath.Join(f.home(rng), nameOf(rng, i, ".so")), nameOf(rng, i, ".so.1")})
	}
	if s.large > 0 {
		f.files = append(f.files, file{path: largeFile, size: s.large, mode: 0o644})
	}
	f.files = append(f.files, s.graft.files...)
	own := len(f.dirs)
	for i := 0; own+len(s.graft.dirs)+len(f.links)+len(f.files) < entries; i++ {
		f.files = append(f.files, file{path: filepath.Join(f.home(rng), nameOf(rng, i, ".dat")), size: sizeOf(rng, s.tiny), mode: modeOf(rng)})
	}
	f.dirs = append(f.dirs, s.graft.dirs...)
	slices.SortFunc(f.files, func(a, b file) int { return strings.Compare(a.path, b.path) })
	f.count()
	return f
}

func (f *forest) count() {
	f.counts = counts{entries: len(f.dirs) + len(f.links) + len(f.files), dirs: len(f.dirs), links: len(f.links)}
	for _, file := range f.files {
		f.counts.bytes += file.size
	}
}

// home picks a directory, a few far more often than most: some get a thousand entries, many a handful.
func (f *forest) home(rng *rand.Rand) string {
	if len(f.dirs) < topDirs {
		return ""
	}
	return f.dirs[int(math.Pow(rng.Float64(), 2.2)*float64(len(f.dirs)))]
}

var words = [...]string{
	"gnu", "locale", "share", "module", "python", "plugin", "icon", "doc", "kernel", "terminal", "zoneinfo", "font",
	"package", "driver", "schema", "manual", "perl", "system", "service", "network", "firmware", "example",
}

// nameOf is a name that no other entry with this suffix has.
func nameOf(rng *rand.Rand, i int, suffix string) string {
	return fmt.Sprintf("%s-%s%d%s", words[rng.IntN(len(words))], words[rng.IntN(len(words))], i, suffix)
}

// sizeOf is a file's size. Half of them have less than 2.5 KB, one in some thousands has megabytes;
// where they are tiny, half have less than 0.6 KB, and none more than 64 KiB.
func sizeOf(rng *rand.Rand, tiny bool) int64 {
	if tiny {
		return min(int64(600*math.Exp(1.1*rng.NormFloat64())), smallFile)
	}
	return min(int64(2500*math.Exp(1.6*rng.NormFloat64())), 8<<20)
}

func modeOf(rng *rand.Rand) os.FileMode {
	if rng.IntN(8) == 0 {
		return 0o755
	}
	return 0o644
}

// small lists at most n small files, in path order: they lie side by side, as in a program's own
// directory. All of them if n is 0.
func (f *forest) small(n int) (files []file) {
	for _, file := range f.files {
		if file.size <= smallFile && (n == 0 || len(files) < n) {
			files = append(files, file)
		}
	}
	return files
}

// largest is the large file, or nil.
func (f *forest) largest() []file {
	for _, one := range f.files {
		if one.path == largeFile {
			return []file{one}
		}
	}
	return nil
}

// forget keeps the counts and one small file of a plan that needs no more.
func (f *forest) forget() {
	f.files, f.dirs, f.links = slices.Clone(f.small(1)), nil, nil
}

// String tells about the tree's size.
func (f *forest) String() string {
	c := f.counts
	return fmt.Sprintf("%d entries, %d directories and %d symbolic links among them, %d MB", c.entries, c.dirs, c.links, c.bytes/1e6)
}

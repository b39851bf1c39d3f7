package main

import (
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// largeFile is the path of the large file.
const largeFile = "large.img"

// smallFile is the size up to which a file counts as small, in bytes.
const smallFile = 64 << 10

// forest is the plan of a tree that looks like a /usr. The same plan comes from the same name and
// number of entries, always.
type forest struct {
	name  string
	dirs  []string // each after its parent
	links []link
	files []file
}

type link struct{ path, target string }

type file struct {
	path string
	size int64
	mode os.FileMode
}

// Of each hundred entries of the /usr that was looked at, these many are directories and links.
const (
	dirPercent  = 7
	linkPercent = 6
	topDirs     = 8 // in the root
)

// plan makes the plan of a tree of so many entries. A file of large bytes is one of them, unless
// large is 0.
func plan(name string, entries int, large int64) *forest {
	f := &forest{name: name}
	rng := rand.New(rand.NewPCG(uint64(entries), 1))
	for i := range entries * dirPercent / 100 {
		f.dirs = append(f.dirs, filepath.Join(f.home(rng), nameOf(rng, i, "")))
	}
	for i := range entries * linkPercent / 100 {
		f.links = append(f.links, link{filepath.Join(f.home(rng), nameOf(rng, i, ".so")), nameOf(rng, i, ".so.1")})
	}
	if large > 0 {
		f.files = append(f.files, file{largeFile, large, 0o644})
	}
	for i := 0; f.entries() < entries; i++ {
		f.files = append(f.files, file{filepath.Join(f.home(rng), nameOf(rng, i, ".dat")), sizeOf(rng), modeOf(rng)})
	}
	slices.SortFunc(f.files, func(a, b file) int { return strings.Compare(a.path, b.path) })
	return f
}

// entries is how many names there are below the root.
func (f *forest) entries() int { return len(f.dirs) + len(f.links) + len(f.files) }

// bytes is what all files hold together.
func (f *forest) bytes() (sum int64) {
	for _, file := range f.files {
		sum += file.size
	}
	return sum
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

// sizeOf is a file's size: half of them have less than 2.5 KB, one in some thousands has megabytes.
func sizeOf(rng *rand.Rand) int64 {
	return min(int64(2500*math.Exp(1.6*rng.NormFloat64())), 8<<20)
}

func modeOf(rng *rand.Rand) os.FileMode {
	if rng.IntN(8) == 0 {
		return 0o755
	}
	return 0o644
}

// grow writes the tree below root, which must not exist.
func (f *forest) grow(root string) error {
	for _, dir := range append([]string{""}, f.dirs...) {
		if err := os.Mkdir(filepath.Join(root, dir), 0o755); err != nil {
			return err
		}
	}
	for _, l := range f.links {
		if err := os.Symlink(l.target, filepath.Join(root, l.path)); err != nil {
			return err
		}
	}
	noise := rand.NewChaCha8([32]byte([]byte(fmt.Sprintf("%-32s", f.name))))
	for _, file := range f.files {
		if err := file.write(root, noise); err != nil {
			return err
		}
	}
	return nil
}

// write fills the file with the next bytes of noise, so that no two files have one content.
func (f file) write(root string, noise io.Reader) error {
	out, err := os.OpenFile(filepath.Join(root, f.path), os.O_WRONLY|os.O_CREATE|os.O_EXCL, f.mode)
	if err != nil {
		return err
	}
	if _, err := io.CopyN(out, noise, f.size); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}

// String tells about the tree's size.
func (f *forest) String() string {
	return fmt.Sprintf("%d entries, %d directories and %d symbolic links among them, %d MB", f.entries(), len(f.dirs), len(f.links), f.bytes()/1e6)
}

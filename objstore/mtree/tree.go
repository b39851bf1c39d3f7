package mtree

import (
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"

	"deployfs/objstore/object"
	"deployfs/objstore/tree"
)

// Tree is a directory with all that is below it.
type Tree struct {
	meta  object.Checksum // dirmeta, zero when there is none yet
	known object.Checksum // dirtree that holds what was loaded; zero for a new directory

	loader tree.Loader // of the dirtree known, until it is read
	files  map[string]object.Checksum
	dirs   map[string]*Tree
}

// New returns an empty directory without a dirmeta.
func New() *Tree { return &Tree{} }

// Load returns a directory of a commit. It is read when it is looked at.
func Load(l tree.Loader, dirtree, dirmeta object.Checksum) *Tree {
	return &Tree{meta: dirmeta, known: dirtree, loader: l}
}

// SetMeta gives the directory its dirmeta.
func (t *Tree) SetMeta(dirmeta object.Checksum) { t.meta = dirmeta }

// Meta is the directory's dirmeta, zero when it has none yet.
func (t *Tree) Meta() object.Checksum { return t.meta }

// read makes the entries of a loaded directory known.
func (t *Tree) read() error {
	if t.loader == nil {
		return nil
	}
	d, err := t.loader.DirTree(t.known)
	if err != nil {
		return err
	}
	t.files = make(map[string]object.Checksum, d.NumFiles())
	for i := range d.NumFiles() {
		name, content := d.File(i)
		t.files[string(name)] = content
	}
	t.dirs = make(map[string]*Tree, d.NumDirs())
	for i := range d.NumDirs() {
		name, dirtree, dirmeta := d.Dir(i)
		t.dirs[string(name)] = Load(t.loader, dirtree, dirmeta)
	}
	t.loader = nil
	return nil
}

// EnsureDir returns the subdirectory called name, a new one if there is none. A
// file of that name is an error.
func (t *Tree) EnsureDir(name string) (*Tree, error) {
	if err := t.open(name); err != nil {
		return nil, err
	}
	if _, ok := t.files[name]; ok {
		return nil, fmt.Errorf("Can't replace file with directory: %s", name)
	}
	if sub, ok := t.dirs[name]; ok {
		return sub, nil
	}
	if t.dirs == nil {
		t.dirs = make(map[string]*Tree)
	}
	sub := New()
	t.dirs[name] = sub
	return sub, nil
}

// SetFile gives the directory a file, or another in the place of one. A directory
// of that name is an error.
func (t *Tree) SetFile(name string, content object.Checksum) error {
	if err := t.open(name); err != nil {
		return err
	}
	if _, ok := t.dirs[name]; ok {
		return fmt.Errorf("Can't replace directory with file: %s", name)
	}
	if t.files == nil {
		t.files = make(map[string]object.Checksum)
	}
	t.files[name] = content
	return nil
}

// Lookup finds a directory, or else a file's content object.
func (t *Tree) Lookup(name string) (dir *Tree, file object.Checksum, found bool, err error) {
	if err := t.read(); err != nil {
		return nil, file, false, err
	}
	if dir, found = t.dirs[name]; found {
		return dir, file, true, nil
	}
	file, found = t.files[name]
	return nil, file, found, nil
}

// Dirs lists the names of the subdirectories, sorted.
func (t *Tree) Dirs() ([]string, error) {
	if err := t.read(); err != nil {
		return nil, err
	}
	return slices.Sorted(maps.Keys(t.dirs)), nil
}

// open reads the directory, in which name is about to change.
func (t *Tree) open(name string) error {
	if err := object.CheckName([]byte(name)); err != nil {
		return err
	}
	if !utf8.ValidString(name) {
		return fmt.Errorf("Invalid UTF-8 in filename %s", name)
	}
	return t.read()
}

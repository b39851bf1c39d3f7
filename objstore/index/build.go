package index

import (
	"context"
	"fmt"

	"deployfs/objstore"
	"deployfs/objstore/object"
)

// maxDepth bounds the nesting of directories; what is deeper is a gap.
const maxDepth = 4096

// Source reads objects. Its methods are called at the same time.
type Source interface {
	// DirTree and DirMeta return objects that were checked against their names.
	DirTree(sum object.Checksum) (object.DirTree, error)
	DirMeta(sum object.Checksum) (object.DirMeta, error)
	// Header returns a content object's whole header.
	Header(sum object.Checksum) (object.Header, error)
}

// Build makes the index of root. Objects are read on several threads. What is
// absent or damaged below the root becomes a gap. It fails when ctx ends, and
// when the root can't be read.
func Build(ctx context.Context, src Source, root Root, flavour Flavour) ([]byte, error) {
	b := &builder{src: src, dirs: map[object.Checksum]*dir{}, files: map[object.Checksum]uint32{}}
	meta, err := src.DirMeta(root.Meta)
	if err != nil {
		return nil, err
	}
	if err := b.readDirs(ctx, root.Tree); err != nil {
		return nil, err
	}
	if err := b.readFiles(ctx); err != nil {
		return nil, err
	}
	w := newWriter()
	rootAttr := w.attribute(meta.UID, meta.GID, meta.Mode, meta.Xattrs, root.Meta)
	if err := b.emit(w, root.Tree, 0); err != nil {
		return nil, err
	}
	return w.finish(root, flavour, rootAttr)
}

// builder holds what was read, each object once.
type builder struct {
	src     Source
	dirs    map[object.Checksum]*dir
	files   map[object.Checksum]uint32 // number in content
	content []content
	metas   map[object.Checksum]*meta
}

// dir is a dirtree; its number counts once it has been emitted.
type dir struct {
	tree    object.DirTree
	err     error
	number  Dir
	emitted bool
}

// content is a content object, without what its bytes are.
type content struct {
	sum object.Checksum
	object.Header
	err error
}

type meta struct {
	object.DirMeta
	err error
}

// readDirs reads the dirtree root and all below it, those of one depth at once.
func (b *builder) readDirs(ctx context.Context, root object.Checksum) error {
	b.dirs[root] = &dir{}
	for level := []object.Checksum{root}; len(level) > 0; {
		err := parallel(ctx, len(level), func(i int) {
			d := b.dirs[level[i]]
			d.tree, d.err = b.src.DirTree(level[i])
		})
		if err != nil {
			return err
		}
		level = b.note(level)
	}
	return b.dirs[root].err
}

// note remembers what the dirtrees of a level name, and returns those that are
// to be read next.
func (b *builder) note(level []object.Checksum) (next []object.Checksum) {
	for _, sum := range level {
		d := b.dirs[sum]
		if d.err != nil {
			continue
		}
		for i := range d.tree.NumFiles() {
			_, sum := d.tree.File(i)
			if _, ok := b.files[sum]; !ok {
				b.files[sum] = uint32(len(b.content))
				b.content = append(b.content, content{sum: sum})
			}
		}
		for i := range d.tree.NumDirs() {
			_, sum, _ := d.tree.Dir(i)
			if b.dirs[sum] == nil {
				b.dirs[sum] = &dir{}
				next = append(next, sum)
			}
		}
	}
	return next
}

// readFiles reads the headers of all content objects. Those that have nothing
// else are checked: nobody will read them later.
func (b *builder) readFiles(ctx context.Context) error {
	return parallel(ctx, len(b.content), func(i int) {
		c := &b.content[i]
		c.Header, c.err = b.src.Header(c.sum)
		if c.err == nil && c.Size == 0 {
			c.err = objstore.CheckEmpty(c.sum, c.Header)
		}
	})
}

// emit writes the directory sum after those in it.
func (b *builder) emit(w *writer, sum object.Checksum, depth int) error {
	d := b.dirs[sum]
	if d.emitted || d.err != nil {
		return nil
	}
	if depth > maxDepth {
		d.err = fmt.Errorf("more than %d directories deep", maxDepth)
		return nil
	}
	for i := range d.tree.NumDirs() {
		_, sub, _ := d.tree.Dir(i)
		if err := b.emit(w, sub, depth+1); err != nil {
			return err
		}
	}
	for i := range d.tree.NumFiles() {
		name, sum := d.tree.File(i)
		attr, value := b.file(w, sum)
		w.row(name, sum, attr, value)
	}
	for i := range d.tree.NumDirs() {
		name, sub, meta := d.tree.Dir(i)
		attr, value := b.subdir(w, sub, meta)
		w.row(name, sub, attr, value)
	}
	d.number, d.emitted = w.dir(d.tree.NumFiles(), d.tree.NumDirs()), true
	return w.full()
}

// file is the attribute and value of a file's row.
func (b *builder) file(w *writer, sum object.Checksum) (attr uint32, value uint64) {
	c := &b.content[b.files[sum]]
	if c.err != nil {
		return unknown, 0
	}
	attr = w.attribute(c.UID, c.GID, c.Mode, c.Xattrs, object.Checksum{})
	if c.IsSymlink() {
		return attr, w.target(c.Target)
	}
	w.files++
	w.bytes += c.Size
	return attr, c.Size
}

// subdir is the attribute and value of a subdirectory's row.
func (b *builder) subdir(w *writer, tree, sum object.Checksum) (attr uint32, value uint64) {
	d := b.dirs[tree]
	m, ok := b.metas[sum]
	if !ok {
		m = &meta{}
		m.DirMeta, m.err = b.src.DirMeta(sum)
		if b.metas == nil {
			b.metas = map[object.Checksum]*meta{}
		}
		b.metas[sum] = m
	}
	if d.err != nil || m.err != nil {
		return unknown, 0
	}
	return w.attribute(m.UID, m.GID, m.Mode, m.Xattrs, sum), uint64(d.number)
}

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
// absent or damaged below the root becomes a gap. It fails when ctx ends, when
// the root can't be read, and when the tree is too large.
func Build(ctx context.Context, src Source, root Root, flavour Flavour) ([]byte, error) {
	return build(ctx, src, root, flavour, maxHeld)
}

// build is Build that holds no more than some bytes.
func build(ctx context.Context, src Source, root Root, flavour Flavour, most int64) ([]byte, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	b := &builder{
		src: src, budget: budget{stop: stop},
		dirs: map[object.Checksum]*dir{}, files: map[object.Checksum]uint32{}, metas: map[object.Checksum]*meta{},
	}
	b.budget.left.Store(most)
	w := newWriter()
	rootAttr, err := b.all(ctx, w, root)
	if b.budget.spent() {
		err = errTooLarge
	}
	if err != nil {
		return nil, err
	}
	return w.finish(root, flavour, rootAttr), nil
}

// builder holds what was read, each object once.
type builder struct {
	src     Source
	budget  budget
	dirs    map[object.Checksum]*dir
	files   map[object.Checksum]uint32 // number in content
	content []content
	metas   map[object.Checksum]*meta
}

// all reads root and all below it and writes it; rootAttr is root's attribute.
func (b *builder) all(ctx context.Context, w *writer, root Root) (rootAttr uint32, err error) {
	meta, err := b.src.DirMeta(root.Meta)
	if err != nil {
		return 0, err
	}
	b.budget.take(xattrsCost(meta.Xattrs))
	if err := b.readDirs(ctx, root.Tree); err != nil {
		return 0, err
	}
	if err := b.readFiles(ctx); err != nil {
		return 0, err
	}
	rootAttr = w.attribute(meta.UID, meta.GID, meta.Mode, meta.Xattrs, root.Meta)
	return rootAttr, b.emit(ctx, w, root.Tree, 0)
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
			if d.tree, d.err = b.src.DirTree(level[i]); d.err == nil {
				b.budget.take(treeCost(&d.tree))
			}
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
		b.budget.take(len(c.Target) + xattrsCost(c.Xattrs))
		if c.err == nil && c.Size == 0 {
			c.err = objstore.CheckEmpty(c.sum, c.Header)
		}
	})
}

// emit writes the directory sum after those in it.
func (b *builder) emit(ctx context.Context, w *writer, sum object.Checksum, depth int) error {
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
		if err := b.emit(ctx, w, sub, depth+1); err != nil {
			return err
		}
	}
	for i := range d.tree.NumFiles() {
		name, sum := d.tree.File(i)
		attr, value := b.file(w, sum)
		w.row(name, sum, attr, value)
	}
	for i := range d.tree.NumDirs() {
		if err := ctx.Err(); err != nil {
			return err
		}
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
		b.budget.take(xattrsCost(m.Xattrs))
		b.metas[sum] = m
	}
	if d.err != nil || m.err != nil {
		return unknown, 0
	}
	return w.attribute(m.UID, m.GID, m.Mode, m.Xattrs, sum), uint64(d.number)
}

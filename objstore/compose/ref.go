package compose

import (
	"context"
	"fmt"
	"io"

	"deployfs/objstore"
	"deployfs/objstore/mtree"
	"deployfs/objstore/object"
)

// addRef lays a commit's tree over the tree. Where nothing is to be changed of its
// files, only the directories that two trees have are read.
func (b *builder) addRef(ctx context.Context, fail context.CancelCauseFunc, rev string) error {
	tip, err := b.resolve(rev)
	if err != nil {
		return err
	}
	if b.Modifier == nil && !b.Sizes {
		files, err := b.root.Overlay(b.repo, tip.Root, tip.RootMeta)
		b.merged += files
		return err
	}
	w := &refWalk{walk{builder: b, ctx: ctx, fail: fail}}
	return w.dir(tip.Root, tip.RootMeta, "/", b.root)
}

// refWalk is a way through the directories of a commit whose files are written again.
type refWalk struct{ walk }

func (w *refWalk) dir(dirtree, dirmeta object.Checksum, path string, into *mtree.Tree) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	if w.depth++; w.depth > maxDepth {
		return fmt.Errorf("directories are nested more than %d deep", maxDepth)
	}
	defer func() { w.depth-- }()
	h, err := w.header(dirmeta)
	if err != nil || w.Modifier.Apply(path, &h) {
		return err
	}
	sum, err := w.dirMeta(&h)
	if err != nil {
		return err
	}
	into.SetMeta(sum)
	d, err := w.repo.DirTree(dirtree)
	if err != nil {
		return err
	}
	names := make([]string, d.NumFiles())
	results := make([]taking, d.NumFiles())
	wait := w.crew.each(len(names), func(i int) {
		name, content := d.File(i)
		names[i] = string(name)
		w.retake(below(path, names[i]), content, &results[i])
	})
	for i := 0; i < d.NumDirs() && err == nil; i++ {
		if err = w.subdir(d, i, path, into); err != nil {
			w.fail(err)
		}
	}
	wait()
	if err != nil {
		return err
	}
	return w.join(names, results, into, nil)
}

// header is a directory's, without what is not to be taken.
func (w *refWalk) header(dirmeta object.Checksum) (h object.Header, err error) {
	meta, err := w.repo.DirMeta(dirmeta)
	h = object.Header{UID: meta.UID, GID: meta.GID, Mode: meta.Mode, Xattrs: meta.Xattrs}
	if w.noXattrs {
		h.Xattrs = nil
	}
	return h, err
}

func (w *refWalk) subdir(d object.DirTree, i int, path string, into *mtree.Tree) error {
	name, dirtree, dirmeta := d.Dir(i)
	path = below(path, string(name))
	h, err := w.header(dirmeta)
	if err != nil || w.Modifier.Apply(path, &h) { // the first of two times, see walk.subdir
		return err
	}
	sub, err := into.EnsureDir(string(name))
	if err != nil {
		return err
	}
	return w.dir(dirtree, dirmeta, path, sub)
}

func (w *refWalk) retake(path string, content object.Checksum, result *taking) {
	if result.err = w.ctx.Err(); result.err != nil {
		return
	}
	result.content, result.skip, result.err = w.rewrite(path, content)
	if result.err != nil {
		w.fail(result.err)
	}
}

// rewrite writes an object again where something of it is changed.
func (b *builder) rewrite(path string, content object.Checksum) (sum object.Checksum, skip bool, err error) {
	h, err := b.repo.Header(content)
	if err != nil {
		return sum, false, err
	}
	before := h
	if b.noXattrs {
		h.Xattrs = nil
	}
	if b.Modifier.Apply(path, &h) {
		return sum, true, nil
	}
	b.progress.add(h.Size)
	same := sameMeta(&before, &h) && len(before.Xattrs) == len(h.Xattrs)
	if same && b.repo.Mode() != objstore.BareUserOnly {
		if !b.Sizes {
			return content, false, nil
		}
		if held, err := b.tx.Keep(content, &h); held || err != nil {
			return content, false, err
		}
	}
	c, err := b.repo.Content(content)
	if err != nil {
		return sum, false, err
	}
	defer c.Close()
	from := io.Reader(c)
	if b.repo.Mode() == objstore.BareUserOnly && c.Plain() != nil {
		from = c.Plain() // whose header is not that of its checksum, when it comes from elsewhere
	}
	if sum, err = b.tx.WriteContent(h, from); err != nil {
		err = fmt.Errorf("%s: %w", path, err)
	}
	return sum, false, err
}

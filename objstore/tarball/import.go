package tarball

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"deployfs/objstore/modify"
	"deployfs/objstore/mtree"
	"deployfs/objstore/object"
	"deployfs/objstore/tree"
)

// Writer takes objects. Its methods are called concurrently.
type Writer interface {
	WriteMetadata(kind object.Kind, data []byte) (object.Checksum, error)
	WriteContent(h object.Header, content io.Reader) (object.Checksum, error)
}

// Options are what an import can be told.
type Options struct {
	// AutocreateParents makes directories that the archive does not have: of
	// mode 0755, owned by the owner of the entry in them. Without, a missing one
	// is an error.
	AutocreateParents bool
	// Rename changes the relative path of each entry and of each hard link's
	// target; nil changes nothing.
	Rename func(path string) string
}

// Import reads an archive and puts its entries into a tree, over what is there:
// files take the place of files, directories get the owner, mode and xattrs of
// the entry. Errors are worded as ostree words them.
//
// Two things differ from ostree, whose objects would be damaged in a bare
// repository: xattrs are sorted, each name is there once, and a symbolic link has
// the mode that Linux gives it, 0777.
func Import(ctx context.Context, tx Writer, r io.Reader, into *mtree.Tree, m *modify.Modifier, o Options) error {
	im := &importer{tx: tx, root: into, modifier: m, options: o}
	err := im.run(ctx, r)
	if err = im.steps.finish(err); err != nil {
		return err
	}
	if err := im.links.resolve(into); err != nil {
		return err
	}
	return im.rootMeta()
}

type importer struct {
	tx       Writer
	root     *mtree.Tree
	modifier *modify.Modifier
	options  Options
	steps    ordered
	links    links
}

// run starts what is to be done for each entry.
func (im *importer) run(ctx context.Context, r io.Reader) error {
	a, err := open(contextReader{ctx, r})
	if err != nil {
		return err
	}
	defer a.close()
	for {
		e, err := a.next()
		if err == io.EOF {
			return a.drain()
		}
		if err == nil {
			err = im.take(e)
		}
		if err != nil {
			return err
		}
	}
}

// contextReader reads until ctx ends.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

// take starts the work for an entry, whose content is read when it returns.
func (im *importer) take(e *entry) error {
	path, err := im.rename(e.name)
	if err != nil {
		return err
	}
	path = strings.TrimRight(path, "/")
	target := ""
	if e.hardLink {
		if target, err = im.rename(e.link); err != nil {
			return err
		}
	}
	h := e.header
	if h.IsSymlink() {
		h.Mode = object.ModeSymlink | 0o777
	}
	if im.modifier.Apply("/"+strings.TrimLeft(path, "/"), &h) {
		return nil
	}
	p := place{path: path, uid: e.header.UID, gid: e.header.GID}
	switch {
	case e.hardLink:
		return im.takeLink(p, target, h, e.content)
	case h.Mode&object.ModeType == object.ModeDir:
		return im.steps.add(func() func() error { return im.directory(p, h) })
	case h.Mode&object.ModeType == object.ModeRegular || h.IsSymlink():
		return im.takeFile(p, h, e.content)
	}
	return im.steps.add(func() func() error {
		return func() error {
			if _, err := im.parent(p); err != nil {
				return err
			}
			return fmt.Errorf("Unsupported file type for path \"%s\"", path)
		}
	})
}

// rename is the path in the tree of one in the archive.
func (im *importer) rename(path string) (string, error) {
	path, err := relative(path)
	if err == nil && im.options.Rename != nil {
		path = im.options.Rename(path)
	}
	return path, err
}

// place is where an entry goes, and who owns directories that are made for it.
type place struct {
	path     string
	uid, gid uint32
}

// directory writes a dirmeta and returns what sets it.
func (im *importer) directory(p place, h object.Header) func() error {
	sum, failed := im.dirmeta(h.UID, h.GID, h.Mode, h.Xattrs)
	return func() error {
		dir, err := im.parent(p)
		if err != nil {
			return err
		}
		if name := base(p.path); failed == nil && name != "" {
			dir, failed = dir.EnsureDir(name)
		}
		if failed != nil {
			return fmt.Errorf("ostree-tar: Failed to handle directory: %w", failed)
		}
		dir.SetMeta(sum)
		return nil
	}
}

func (im *importer) dirmeta(uid, gid, mode uint32, xattrs []object.Xattr) (object.Checksum, error) {
	meta := object.DirMeta{UID: uid, GID: gid, Mode: mode, Xattrs: xattrs}
	return im.tx.WriteMetadata(object.KindDirMeta, meta.Encode())
}

// small is the most content, in bytes, that is held in memory so that the next
// entry can be read while it is written.
const small = 256 << 10

// blocks hold small content.
var blocks = sync.Pool{New: func() any { return new([small]byte) }}

// takeFile reads a file's content and has it written.
func (im *importer) takeFile(p place, h object.Header, content io.Reader) error {
	if h.Size > small {
		sum, err := im.tx.WriteContent(h, content)
		return im.steps.add(func() func() error { return im.file(p, sum, err) })
	}
	block := blocks.Get().(*[small]byte)
	data := block[:h.Size]
	if _, err := io.ReadFull(content, data); h.Size > 0 && err != nil {
		return importFailed(err)
	}
	return im.steps.add(func() func() error {
		defer blocks.Put(block)
		sum, err := im.tx.WriteContent(h, bytes.NewReader(data))
		return im.file(p, sum, err)
	})
}

// file returns what gives a written file its name.
func (im *importer) file(p place, sum object.Checksum, failed error) func() error {
	return func() error {
		dir, err := im.parent(p)
		if err != nil {
			return err
		}
		if failed == nil {
			failed = dir.SetFile(base(p.path), sum)
		}
		if failed != nil {
			return importFailed(failed)
		}
		return nil
	}
}

func importFailed(err error) error {
	return fmt.Errorf("ostree-tar: Failed to handle file: ostree-tar: Failed to import file: %w", err)
}

// takeLink keeps a hard link for later. A link that has content, as in cpio
// archives, is a file until then.
func (im *importer) takeLink(p place, target string, h object.Header, content io.Reader) error {
	if h.Size > 0 {
		if err := im.takeFile(p, h, content); err != nil {
			return err
		}
	}
	return im.steps.add(func() func() error {
		return func() error {
			dir, err := im.parent(p)
			if err == nil {
				im.links.add(target, link{dir, base(p.path), h.Size > 0})
			}
			return err
		}
	})
}

// parent finds the directory in which an entry is.
func (im *importer) parent(p place) (*mtree.Tree, error) {
	parts, err := split(p.path)
	if err != nil {
		return nil, err
	}
	dir, err := walk(im.root, parts)
	if notFound, ok := err.(*tree.Error); ok && notFound.Err == unix.ENOENT && im.options.AutocreateParents {
		if dir, err = im.createParents(parts, p); err != nil {
			err = fmt.Errorf("ostree-tar: Failed to create parent: %w", err)
		}
	}
	return dir, err
}

// walk finds the directory that holds the last of parts.
func walk(dir *mtree.Tree, parts []string) (*mtree.Tree, error) {
	for i := 0; i < len(parts)-1; i++ {
		sub, _, _, err := dir.Lookup(parts[i])
		if err != nil {
			return nil, err
		}
		if sub == nil {
			return nil, &tree.Error{Path: parts[i], Err: unix.ENOENT}
		}
		dir = sub
	}
	return dir, nil
}

// createParents makes the directories above the last of parts. As in ostree, it
// gives those that are there a new dirmeta, too.
func (im *importer) createParents(parts []string, p place) (*mtree.Tree, error) {
	sum, err := im.dirmeta(p.uid, p.gid, parentMode, nil)
	if err != nil {
		return nil, err
	}
	dir := im.root
	dir.SetMeta(sum)
	for _, part := range parts[:len(parts)-1] {
		if dir, err = dir.EnsureDir(part); err != nil {
			return nil, err
		}
		dir.SetMeta(sum)
	}
	return dir, nil
}

const parentMode = object.ModeDir | 0o755

// rootMeta gives a root that has no dirmeta one, where parents are made.
func (im *importer) rootMeta() error {
	if !im.options.AutocreateParents || !im.root.Meta().IsZero() {
		return nil
	}
	h := object.Header{Mode: parentMode}
	im.modifier.Apply("/", &h)
	sum, err := im.dirmeta(h.UID, h.GID, h.Mode, nil)
	if err == nil {
		im.root.SetMeta(sum)
	}
	return err
}

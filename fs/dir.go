package fs

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"

	"deployfs/objstore/object"
)

// maxDepth bounds the directories above an entry: a commit can be made deeper,
// and one that is not verified can be endless.
const maxDepth = 4096

var (
	errTooDeep = errors.New("directories are nested too deeply")
	errChanged = errors.New("the directory has changed since it was first read")
	errIsDir   = errors.New("it is a directory")
	errNoLink  = errors.New("it is no symbolic link any more")
)

// dir is one directory: its entries by position, files before subdirectories,
// both in the order of their names. It is read from objects or from an index.
type dir interface {
	size() (files, subdirs int)
	name(pos int) []byte // in place
	find(name []byte) (pos int, ok bool)

	// attr writes mode, owner, size and number of links.
	attr(pos int, out *gofuse.Attr) error
	// content is a file's object.
	content(pos int) object.Checksum
	// target is where a symbolic link points.
	target(pos int) ([]byte, error)
	xattrs(pos int) ([]object.Xattr, error)
}

// dir returns the directory at r.
func (f *FS) dir(r row) (dir, error) {
	if m := f.index.Load(); m != nil {
		if d, ok := f.indexed(m, r); ok {
			return d, nil
		}
	}
	return f.objects(r)
}

// entry is what a row stands for: a position in a directory.
type entry struct {
	node
	in dir
}

// entry finds what a row stands for.
func (f *FS) entry(r row) (entry, error) {
	n, ok := f.nodes.get(r)
	if !ok {
		return entry{}, fmt.Errorf("no node %d", r)
	}
	if f.names != nil && (r == root || n.pos&wordBit != 0) {
		e, err := f.named(r, n)
		return entry{n, e}, err
	}
	if r == root {
		return entry{n, above{f}}, nil
	}
	d, err := f.dir(n.parent)
	if err != nil {
		return entry{}, err
	}
	// An object that is not verified can have changed, so that there is none.
	if files, subdirs := d.size(); int(n.pos) >= files+subdirs {
		return entry{}, errChanged
	}
	return entry{n, d}, nil
}

func (e *entry) isDir() bool {
	files, _ := e.in.size()
	return int(e.pos) >= files
}

// content is the object of a file.
func (e *entry) content() (object.Checksum, error) {
	if e.isDir() {
		return object.Checksum{}, errIsDir
	}
	return e.in.content(int(e.pos)), nil
}

// above stands for the directory that the mounted one is in.
type above struct{ f *FS }

func (a above) size() (files, subdirs int)  { return 0, 1 }
func (a above) name(int) []byte             { return nil }
func (a above) find([]byte) (int, bool)     { return 0, false }
func (a above) content(int) object.Checksum { return object.Checksum{} }
func (a above) target(int) ([]byte, error)  { return nil, errIsDir }

func (a above) attr(_ int, out *gofuse.Attr) error {
	if m := a.f.index.Load(); m != nil {
		root := m.RootAttributes()
		_, _, subdirs := m.Entries(m.RootDir())
		a.f.dirLooks(out, root.Mode, root.UID, root.GID, subdirs)
		return nil
	}
	return a.f.dirAttr(a.f.rootDir.tree, a.f.rootDir.meta, out)
}

func (a above) xattrs(int) ([]object.Xattr, error) {
	if m := a.f.index.Load(); m != nil {
		return m.Xattrs(m.RootAttributes().Xattrs), nil
	}
	m, err := a.f.meta(a.f.rootDir.meta)
	return m.Xattrs, err
}

// maxPath is about how much of a path stands in a message, in bytes: its end.
const maxPath = 1 << 12

// path is where the entry at r lies below the mountpoint, for messages.
func (f *FS) path(r row) string {
	var names []string
	for size := 0; r != root; {
		e, err := f.entry(r)
		if err != nil {
			names = append(names, "?")
			break
		}
		if size > maxPath || len(names) == maxDepth {
			names = append(names, "...")
			break
		}
		name := string(e.in.name(int(e.pos)))
		names, size, r = append(names, name), size+len(name)+1, e.parent
	}
	slices.Reverse(names)
	return "/" + strings.Join(names, "/")
}

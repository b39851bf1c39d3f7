package fs

import (
	gofuse "github.com/hanwen/go-fuse/v2/fuse"

	"deployfs/objstore/index"
	"deployfs/objstore/object"
)

// mapped is an index in use.
type mapped struct {
	*index.Index
	stale func() // told once that the index is not what the objects are
}

// UseIndex answers from x, which must be of the mounted directory, from now on.
// Stale is called when an object turns out to be another than x says, after
// which x is not asked any more. Either way x must stay as it is until Close.
func (f *FS) UseIndex(x *index.Index, stale func()) { f.index.Store(&mapped{x, stale}) }

// dropIndex ends the use of an index that does not tell the truth.
func (f *FS) dropIndex() {
	if m := f.index.Swap(nil); m != nil {
		m.stale()
	}
}

// indexDir is a directory as an index tells it. What the index does not know is
// read from objects.
type indexDir struct {
	f              *FS
	x              *index.Index
	row            row
	dir            index.Dir
	first          index.Row
	files, subdirs int
}

// indexed finds the directory at r in the index, unless there is a gap.
func (f *FS) indexed(m *mapped, r row) (*indexDir, bool) {
	number, ok := f.dirNumber(m.Index, r)
	if !ok {
		return nil, false
	}
	d := &indexDir{f: f, x: m.Index, row: r, dir: number}
	d.first, d.files, d.subdirs = m.Entries(number)
	return d, true
}

// dirNumber is the number of the directory at r in x. A row's tag remembers it:
// the number plus one.
func (f *FS) dirNumber(x *index.Index, r row) (index.Dir, bool) {
	if r == root {
		return x.RootDir(), true
	}
	tag := f.nodes.tag(r)
	if t := tag.Load(); t != 0 {
		return index.Dir(t - 1), true
	}
	n, ok := f.nodes.get(r)
	if !ok {
		return 0, false
	}
	up, ok := f.dirNumber(x, n.parent)
	if !ok {
		return 0, false
	}
	first, files, subdirs := x.Entries(up)
	at := first + index.Row(n.pos)
	if int(n.pos) < files || int(n.pos) >= files+subdirs || !x.Known(at) {
		return 0, false
	}
	number := x.Subdir(at)
	tag.Store(uint32(number) + 1)
	return number, true
}

func (d *indexDir) size() (files, subdirs int) { return d.files, d.subdirs }

func (d *indexDir) name(pos int) []byte { return d.x.Name(d.first + index.Row(pos)) }

func (d *indexDir) find(name []byte) (pos int, ok bool) { return d.x.Find(d.dir, name) }

func (d *indexDir) attr(pos int, out *gofuse.Attr) error {
	r := d.first + index.Row(pos)
	if !d.x.Known(r) {
		return d.ask(func(o dir) error { return o.attr(pos, out) })
	}
	a := d.x.Attributes(r)
	if pos >= d.files {
		_, _, subdirs := d.x.Entries(d.x.Subdir(r))
		d.f.dirLooks(out, a.Mode, a.UID, a.GID, subdirs)
		return nil
	}
	out.Mode, out.Uid, out.Gid, out.Nlink = a.Mode, a.UID, a.GID, 1
	if a.Mode&object.ModeType == object.ModeSymlink {
		out.Size = uint64(len(d.x.Target(r)))
	} else {
		fileSize(out, d.x.FileSize(r))
	}
	return nil
}

// ask lets the directory's objects answer.
func (d *indexDir) ask(question func(dir) error) error {
	objects, err := d.f.objects(d.row)
	if err != nil {
		return err
	}
	if files, subdirs := objects.size(); files != d.files || subdirs != d.subdirs {
		return errChanged
	}
	return question(objects)
}

func (d *indexDir) content(pos int) object.Checksum { return d.x.Sum(d.first + index.Row(pos)) }

func (d *indexDir) target(pos int) (target []byte, err error) {
	r := d.first + index.Row(pos)
	if !d.x.Known(r) {
		err = d.ask(func(o dir) (err error) { target, err = o.target(pos); return err })
		return target, err
	}
	if pos >= d.files {
		return nil, errIsDir
	}
	if d.x.Attributes(r).Mode&object.ModeType != object.ModeSymlink {
		return nil, nil
	}
	return d.x.Target(r), nil
}

func (d *indexDir) xattrs(pos int) (list []object.Xattr, err error) {
	r := d.first + index.Row(pos)
	if !d.x.Known(r) {
		err = d.ask(func(o dir) (err error) { list, err = o.xattrs(pos); return err })
		return list, err
	}
	return d.x.Xattrs(d.x.Attributes(r).Xattrs), nil
}

func (d *indexDir) promised(pos int) (size uint64, ok bool) {
	r := d.first + index.Row(pos)
	if pos >= d.files || !d.x.Known(r) || d.x.Attributes(r).Mode&object.ModeType != object.ModeRegular {
		return 0, false
	}
	return d.x.FileSize(r), true
}

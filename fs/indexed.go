package fs

import (
	"bytes"
	"slices"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"

	"deployfs/objstore/index"
	"deployfs/objstore/object"
)

// mapped is an index in use.
type mapped struct {
	*index.Index
	stale func(why error) // called once
}

// UseIndex answers from x, which must be of the mounted directory, from now on;
// it is called once for all that share a [State], or each time with the same
// file, and x must stay as it is until Close. Stale is called when x turns out
// not to tell the truth, or can't be read any more, with the reason; from then
// on objects are asked. It reports whether x is used: not if an earlier server
// has distrusted it.
func (f *FS) UseIndex(x *index.Index, stale func(why error)) bool {
	m := &mapped{x, stale}
	if newer := f.state.first.told.Load(); newer != 0 {
		f.told.Store(&told{m, row(newer)})
		return false
	}
	f.index.Store(m)
	return true
}

// distrust ends the use of an index that has told of an object what it is not.
// The kernel keeps what it was told, so that the index is still needed to know
// what that was.
func (f *FS) distrust(why error) {
	if m := f.index.Load(); m != nil {
		newer := f.nodes.len.Load()
		f.state.first.told.Store(newer)
		f.told.Store(&told{m, row(newer)})
		f.dropIndex(why)
	}
}

// told is an index that was distrusted, and the first row that is newer.
type told struct {
	*mapped
	newer row
}

// dropIndex ends the use of an index.
func (f *FS) dropIndex(why error) {
	if m := f.index.Swap(nil); m != nil {
		m.stale(why)
	}
}

// checkTold fails when the index that is used, or was, told of the file e at r
// something else than its header h says. It compares sizes, or everything.
func (f *FS) checkTold(r row, e *entry, h *object.Header, all bool) error {
	d, ok := e.in.(*indexDir)
	if past := f.told.Load(); past != nil && r < past.newer {
		d, ok = f.indexed(past.mapped, e.parent)
		all = true
	}
	if !ok || d.agrees(int(e.pos), h, all) {
		return nil
	}
	err := &ToldError{contentName(e.in.content(int(e.pos)))}
	f.distrust(err)
	return err
}

// ToldError says that a file is not what was told of it, and is not read: the
// kernel would go on showing what it was told.
type ToldError struct{ Object object.Name }

func (e *ToldError) Error() string {
	return "object " + e.Object.String() + " is not what it was when the tree's index was built; it is read again after the next mount"
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

// dirTag marks the tag of a row as a directory's number in the index, which is
// smaller.
const dirTag = 1 << 31

// dirNumber is the number of the directory at r in x. A row's tag remembers it.
func (f *FS) dirNumber(x *index.Index, r row) (index.Dir, bool) {
	if r == root {
		return x.RootDir(), true
	}
	tag := f.nodes.tag(r)
	if t := tag.Load(); t&dirTag != 0 {
		return index.Dir(t &^ dirTag), true
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
	tag.Store(uint32(number) | dirTag)
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
	switch {
	case d.x.Known(r) && pos >= d.files:
		return nil, errIsDir
	case d.x.Known(r) && d.x.Attributes(r).Mode&object.ModeType == object.ModeSymlink:
		return d.x.Target(r), nil
	}
	// The kernel asks for links only: it was told so before the index came, by a
	// damaged object.
	err = d.ask(func(o dir) (err error) { target, err = o.target(pos); return err })
	return target, err
}

func (d *indexDir) xattrs(pos int) (list []object.Xattr, err error) {
	r := d.first + index.Row(pos)
	if !d.x.Known(r) {
		err = d.ask(func(o dir) (err error) { list, err = o.xattrs(pos); return err })
		return list, err
	}
	return d.x.Xattrs(d.x.Attributes(r).Xattrs), nil
}

// agrees reports whether the index told of a file what its header says: size
// alone, or all of it. What the index does not know it did not tell.
func (d *indexDir) agrees(pos int, h *object.Header, all bool) bool {
	r := d.first + index.Row(pos)
	if pos >= d.files || !d.x.Known(r) || d.x.Attributes(r).Mode&object.ModeType != object.ModeRegular {
		return true
	}
	if !all {
		return d.x.FileSize(r) == h.Size
	}
	a := d.x.Attributes(r)
	return d.x.FileSize(r) == h.Size && a.Mode == h.Mode && a.UID == h.UID && a.GID == h.GID &&
		slices.EqualFunc(d.x.Xattrs(a.Xattrs), h.Xattrs, func(x, y object.Xattr) bool {
			return x.Name == y.Name && bytes.Equal(x.Value, y.Value)
		})
}

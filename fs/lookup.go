package fs

import (
	"bytes"
	"unsafe"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"deployfs/objstore/object"
)

// Lookup finds a name in a directory. An absent name is an answer that the
// kernel may keep, like any other.
func (f *FS) Lookup(cancel <-chan struct{}, in *gofuse.InHeader, name string, out *gofuse.EntryOut) gofuse.Status {
	f.stats.requests.Add(1)
	if len(name) > maxName {
		return gofuse.Status(unix.ENAMETOOLONG)
	}
	return f.safely(func() gofuse.Status { return f.lookup(in, name, out) })
}

func (f *FS) lookup(in *gofuse.InHeader, name string, out *gofuse.EntryOut) gofuse.Status {
	if at, ok := f.shelf(rowOf(in.NodeId)); ok {
		return f.lookupName(at, name, out)
	}
	at, n, d, status := f.directory(in.NodeId)
	if !status.Ok() {
		return status
	}
	pos, ok := d.find(unsafe.Slice(unsafe.StringData(name), len(name)))
	if !ok {
		*out = gofuse.EntryOut{EntryValid: forever}
		return gofuse.OK
	}
	e := entry{node{at, uint32(pos), inodeOf(n.ino, d.name(pos))}, d}
	if err := f.answer(&e, out); err != nil {
		return f.failed(at, name, err)
	}
	if out.Mode&object.ModeType == object.ModeDir {
		f.enter(rowOf(out.NodeId))
	}
	return gofuse.OK
}

// enter tells the reader ahead of a directory that somebody looks into.
func (f *FS) enter(r row) {
	if f.ahead.heat.Load() <= 0 {
		return
	}
	if m := f.index.Load(); m != nil {
		if d, ok := f.indexed(m, r); ok {
			f.ahead.enter(d)
		}
	}
}

// directory is the directory that a node id of the kernel's names: its row, its
// node and its entries.
func (f *FS) directory(nodeID uint64) (row, node, dir, gofuse.Status) {
	r := rowOf(nodeID)
	n, ok := f.nodes.get(r)
	if !ok {
		return r, n, nil, gofuse.Status(unix.ESTALE)
	}
	d, err := f.dir(r)
	if err != nil {
		return r, n, nil, f.failed(r, "", err)
	}
	return r, n, d, gofuse.OK
}

// answer writes an entry for the kernel and gives it a row.
func (f *FS) answer(e *entry, out *gofuse.EntryOut) error {
	if err := f.fill(e, &out.Attr); err != nil {
		return err
	}
	r, ok := f.nodes.child(e.node)
	if !ok {
		return unix.ENOMEM
	}
	out.NodeId = uint64(r) + gofuse.FUSE_ROOT_ID
	out.EntryValid, out.AttrValid = forever, forever
	return nil
}

// Readlink tells where a symbolic link points.
func (f *FS) Readlink(cancel <-chan struct{}, in *gofuse.InHeader) (target []byte, status gofuse.Status) {
	f.stats.requests.Add(1)
	status = f.safely(func() (status gofuse.Status) {
		target, status = f.readlink(rowOf(in.NodeId))
		return status
	})
	return target, status
}

func (f *FS) readlink(r row) ([]byte, gofuse.Status) {
	e, err := f.entry(r)
	if err != nil {
		return nil, f.failed(r, "", err)
	}
	target, err := e.in.target(int(e.pos))
	if err != nil {
		return nil, f.failed(r, "", err)
	}
	return bytes.Clone(target), gofuse.OK
}

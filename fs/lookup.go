package fs

import (
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
	dir, n, t, status := f.directory(in.NodeId)
	if !status.Ok() {
		return status
	}
	pos, ok := position(t, unsafe.Slice(unsafe.StringData(name), len(name)))
	if !ok {
		*out = gofuse.EntryOut{EntryValid: forever}
		return gofuse.OK
	}
	e := entryAt(dir, n.ino, t, pos)
	if err := f.answer(&e, out); err != nil {
		return f.failed(dir, name, err)
	}
	return gofuse.OK
}

// directory is the directory that a node id of the kernel's names: its row, its
// node and its content.
func (f *FS) directory(nodeID uint64) (row, node, object.DirTree, gofuse.Status) {
	dir := rowOf(nodeID)
	n, ok := f.nodes.get(dir)
	if !ok {
		return dir, n, object.DirTree{}, gofuse.Status(unix.ESTALE)
	}
	t, err := f.dir(dir)
	if err != nil {
		return dir, n, t, f.failed(dir, "", err)
	}
	return dir, n, t, gofuse.OK
}

// position is where a name stands in a directory.
func position(t object.DirTree, name []byte) (int, bool) {
	if i, ok := t.FindFile(name); ok {
		return i, true
	}
	i, ok := t.FindDir(name)
	return t.NumFiles() + i, ok
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
func (f *FS) Readlink(cancel <-chan struct{}, in *gofuse.InHeader) ([]byte, gofuse.Status) {
	f.stats.requests.Add(1)
	r := rowOf(in.NodeId)
	e, err := f.entry(r)
	if err != nil {
		return nil, f.failed(r, "", err)
	}
	h, err := f.header(e.content)
	if err != nil {
		return nil, f.failed(r, "", err)
	}
	return []byte(h.Target), gofuse.OK
}

package fs

import (
	"errors"
	"math"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"

	"deployfs/objstore/object"
)

const (
	forever   = math.MaxUint32 // seconds that the kernel may keep an answer
	blockSize = 4096           // bytes; also what a directory takes
)

// GetAttr answers stat(2) of an inode whose attributes the kernel does not hold:
// that of the mountpoint, once.
func (f *FS) GetAttr(cancel <-chan struct{}, in *gofuse.GetAttrIn, out *gofuse.AttrOut) gofuse.Status {
	f.stats.requests.Add(1)
	return f.safely(func() gofuse.Status { return f.getAttr(rowOf(in.NodeId), out) })
}

func (f *FS) getAttr(r row, out *gofuse.AttrOut) gofuse.Status {
	e, err := f.entry(r)
	if err == nil {
		err = f.fill(&e, &out.Attr)
	}
	if err != nil {
		return f.failed(r, "", err)
	}
	out.AttrValid = forever
	return gofuse.OK
}

// rowOf is the row that a node id of the kernel's names.
func rowOf(nodeID uint64) row { return row(nodeID - gofuse.FUSE_ROOT_ID) }

// fill writes an entry's attributes.
func (f *FS) fill(e *entry, out *gofuse.Attr) error {
	out.Ino = e.ino
	out.Atime, out.Mtime, out.Ctime = f.opts.Mtime, f.opts.Mtime, f.opts.Mtime
	out.Blksize = blockSize
	return e.in.attr(int(e.pos), out)
}

// lasting reports whether an error is the object's, and will be there again.
func lasting(err error) bool {
	var absent *object.NotExistError
	var corrupt *object.CorruptError
	return errors.As(err, &absent) || errors.As(err, &corrupt)
}

// StatFs tells the figures of the filesystem that holds the repository.
func (f *FS) StatFs(cancel <-chan struct{}, in *gofuse.InHeader, out *gofuse.StatfsOut) gofuse.Status {
	f.stats.requests.Add(1)
	st, err := f.src.Statfs()
	if err != nil {
		return f.failed(root, "", err)
	}
	out.Blocks, out.Bfree, out.Bavail = st.Blocks, st.Bfree, st.Bavail
	out.Files, out.Ffree = st.Files, st.Ffree
	out.Bsize, out.Frsize, out.NameLen = uint32(st.Bsize), uint32(st.Frsize), maxName
	return gofuse.OK
}

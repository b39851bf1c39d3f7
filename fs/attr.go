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
	r := rowOf(in.NodeId)
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
	if e.isDir() {
		return f.fillDir(e, out)
	}
	h, err := f.stat(e.content)
	if err != nil {
		return err
	}
	out.Mode, out.Uid, out.Gid, out.Nlink = h.Mode, h.UID, h.GID, 1
	out.Size = h.Size
	if h.IsSymlink() {
		out.Size = uint64(len(h.Target))
	} else {
		out.Blocks = (h.Size + blockSize - 1) / blockSize * (blockSize / 512)
	}
	return nil
}

// fillDir writes a directory's attributes. It has a link for each subdirectory,
// which is why its dirtree is read; that it is bad shows when it is listed.
func (f *FS) fillDir(e *entry, out *gofuse.Attr) error {
	m, err := f.meta(e.meta)
	if err != nil {
		return err
	}
	out.Mode, out.Uid, out.Gid = m.Mode&(object.ModeType|f.opts.DirMode), m.UID, m.GID
	out.Size, out.Blocks, out.Nlink = blockSize, blockSize/512, 2
	t, err := f.tree(e.tree)
	if err == nil {
		out.Nlink += uint32(t.NumDirs())
	} else if !lasting(err) {
		return err // or the kernel would keep a wrong count
	}
	return nil
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

package fs

import (
	"strings"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"

	"deployfs/objstore/object"
)

// GetXAttr reads one extended attribute.
func (f *FS) GetXAttr(cancel <-chan struct{}, in *gofuse.InHeader, name string, dest []byte) (uint32, gofuse.Status) {
	f.stats.requests.Add(1)
	list, status := f.xattrs(rowOf(in.NodeId))
	if !status.Ok() {
		return 0, status
	}
	for _, x := range list {
		if x.Name == name {
			return put(dest, x.Value)
		}
	}
	return 0, gofuse.ENOATTR
}

// ListXAttr lists the names of extended attributes. As on other filesystems,
// those in trusted.* are root's alone.
func (f *FS) ListXAttr(cancel <-chan struct{}, in *gofuse.InHeader, dest []byte) (uint32, gofuse.Status) {
	f.stats.requests.Add(1)
	list, status := f.xattrs(rowOf(in.NodeId))
	if !status.Ok() {
		return 0, status
	}
	var names []byte
	for _, x := range list {
		if in.Uid == 0 || !strings.HasPrefix(x.Name, "trusted.") {
			names = append(append(names, x.Name...), 0)
		}
	}
	return put(dest, names)
}

// put copies a value that fits, and tells its size.
func put(dest, value []byte) (uint32, gofuse.Status) {
	if len(dest) < len(value) {
		return uint32(len(value)), gofuse.ERANGE
	}
	return uint32(copy(dest, value)), gofuse.OK
}

func (f *FS) xattrs(r row) ([]object.Xattr, gofuse.Status) {
	if f.noXattrs() {
		return nil, gofuse.ENOSYS // once: the kernel asks no more
	}
	e, err := f.entry(r)
	if err != nil {
		return nil, f.failed(r, "", err)
	}
	list, err := e.in.xattrs(int(e.pos))
	if err != nil {
		return nil, f.failed(r, "", err)
	}
	return list, gofuse.OK
}

// noXattrs reports whether it is known that no entry has any.
func (f *FS) noXattrs() bool {
	m := f.index.Load()
	return f.opts.NoXattrs || m != nil && !m.HasXattrs()
}

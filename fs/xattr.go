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

// xattrs are those of the entry at r, for good: values in the index are copied.
func (f *FS) xattrs(r row) (list []object.Xattr, status gofuse.Status) {
	if f.noXattrs() {
		return nil, gofuse.ENOSYS // once: the kernel asks no more
	}
	status = f.safely(func() gofuse.Status {
		e, err := f.entry(r)
		if err == nil {
			list, err = e.in.xattrs(int(e.pos))
		}
		if err != nil {
			return f.failed(r, "", err)
		}
		return gofuse.OK
	})
	return list, status
}

// noXattrs reports whether it is known that no entry has any.
func (f *FS) noXattrs() bool {
	m := f.index.Load()
	return f.opts.NoXattrs || m != nil && !m.HasXattrs()
}

package fs

import gofuse "github.com/hanwen/go-fuse/v2/fuse"

// The mount is read-only, so that the kernel refuses every write by itself.
// These answers are for a mount that root remounted read-write.

// SetAttr refuses.
func (f *FS) SetAttr(<-chan struct{}, *gofuse.SetAttrIn, *gofuse.AttrOut) gofuse.Status {
	return gofuse.EROFS
}

// Mknod refuses.
func (f *FS) Mknod(<-chan struct{}, *gofuse.MknodIn, string, *gofuse.EntryOut) gofuse.Status {
	return gofuse.EROFS
}

// Mkdir refuses.
func (f *FS) Mkdir(<-chan struct{}, *gofuse.MkdirIn, string, *gofuse.EntryOut) gofuse.Status {
	return gofuse.EROFS
}

// Unlink refuses.
func (f *FS) Unlink(<-chan struct{}, *gofuse.InHeader, string) gofuse.Status { return gofuse.EROFS }

// Rmdir refuses.
func (f *FS) Rmdir(<-chan struct{}, *gofuse.InHeader, string) gofuse.Status { return gofuse.EROFS }

// Rename refuses.
func (f *FS) Rename(<-chan struct{}, *gofuse.RenameIn, string, string) gofuse.Status {
	return gofuse.EROFS
}

// Link refuses.
func (f *FS) Link(<-chan struct{}, *gofuse.LinkIn, string, *gofuse.EntryOut) gofuse.Status {
	return gofuse.EROFS
}

// Symlink refuses.
func (f *FS) Symlink(<-chan struct{}, *gofuse.InHeader, string, string, *gofuse.EntryOut) gofuse.Status {
	return gofuse.EROFS
}

// SetXAttr refuses.
func (f *FS) SetXAttr(<-chan struct{}, *gofuse.SetXAttrIn, string, []byte) gofuse.Status {
	return gofuse.EROFS
}

// RemoveXAttr refuses.
func (f *FS) RemoveXAttr(<-chan struct{}, *gofuse.InHeader, string) gofuse.Status {
	return gofuse.EROFS
}

// Create refuses.
func (f *FS) Create(<-chan struct{}, *gofuse.CreateIn, string, *gofuse.CreateOut) gofuse.Status {
	return gofuse.EROFS
}

// Tmpfile refuses.
func (f *FS) Tmpfile(<-chan struct{}, *gofuse.CreateIn, *gofuse.CreateOut) gofuse.Status {
	return gofuse.EROFS
}

// Write refuses.
func (f *FS) Write(<-chan struct{}, *gofuse.WriteIn, []byte) (uint32, gofuse.Status) {
	return 0, gofuse.EROFS
}

// Fallocate refuses.
func (f *FS) Fallocate(<-chan struct{}, *gofuse.FallocateIn) gofuse.Status { return gofuse.EROFS }

package fs

import (
	"unsafe"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"

	"deployfs/objstore/object"
)

// dots is the number of entries before those of the dirtree: "." and "..".
const dots = 2

// OpenDir refuses once: from then on the kernel opens directories, and keeps
// what it read of them, by itself.
func (f *FS) OpenDir(cancel <-chan struct{}, in *gofuse.OpenIn, out *gofuse.OpenOut) gofuse.Status {
	f.stats.requests.Add(1)
	return gofuse.ENOSYS
}

// ReadDir lists names and types.
func (f *FS) ReadDir(cancel <-chan struct{}, in *gofuse.ReadIn, out *gofuse.DirEntryList) gofuse.Status {
	return f.list(in, func(d gofuse.DirEntry, e *entry) bool {
		if e != nil {
			d.Mode = f.typeOf(e)
		}
		return out.AddDirEntry(d)
	})
}

// ReadDirPlus lists names and attributes. An entry whose attributes can't be
// read has none: the kernel asks for it again, and gets the error.
func (f *FS) ReadDirPlus(cancel <-chan struct{}, in *gofuse.ReadIn, out *gofuse.DirEntryList) gofuse.Status {
	return f.list(in, func(d gofuse.DirEntry, e *entry) bool {
		slot := out.AddDirLookupEntry(d)
		if slot == nil || e == nil {
			return slot != nil
		}
		if err := f.answer(e, slot); err != nil {
			*slot = gofuse.EntryOut{}
			return true
		}
		out.FixMode(slot.Mode)
		return true
	})
}

// list adds the entries of a directory, from the kernel's offset on, until one
// no longer fits.
func (f *FS) list(in *gofuse.ReadIn, add func(gofuse.DirEntry, *entry) bool) gofuse.Status {
	f.stats.requests.Add(1)
	dir, n, t, status := f.directory(in.NodeId)
	if !status.Ok() {
		return status
	}
	up, _ := f.nodes.get(n.parent)
	total := uint64(dots + t.NumFiles() + t.NumDirs())
	var found entry // one for all
	for at := in.Offset; at < total; at++ {
		d := gofuse.DirEntry{Off: at + 1, Mode: object.ModeDir}
		var e *entry
		switch at {
		case 0:
			d.Name, d.Ino = ".", n.ino
		case 1:
			d.Name, d.Ino = "..", up.ino
		default:
			found = entryAt(dir, n.ino, t, int(at-dots))
			e = &found
			d.Name, d.Ino, d.Mode = unsafe.String(&e.name[0], len(e.name)), e.ino, 0
		}
		if !add(d, e) {
			break
		}
	}
	return gofuse.OK
}

// typeOf is an entry's type bits, 0 when they can't be read.
func (f *FS) typeOf(e *entry) uint32 {
	if e.isDir() {
		return object.ModeDir
	}
	h, err := f.stat(e.content)
	if err != nil {
		return 0
	}
	return h.Mode & object.ModeType
}

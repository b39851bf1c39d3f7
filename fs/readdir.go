package fs

import (
	"unsafe"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"

	"deployfs/objstore/object"
)

// dots is the number of entries before those of the dirtree: "." and "..".
const dots = 2

// OpenDir refuses once: from then on the kernel opens directories, and keeps
// what it read of them, by itself. Where there are names, which come and go, it is
// told each time whether to keep it.
func (f *FS) OpenDir(cancel <-chan struct{}, in *gofuse.OpenIn, out *gofuse.OpenOut) gofuse.Status {
	f.stats.requests.Add(1)
	if f.names == nil {
		return gofuse.ENOSYS
	}
	if _, ok := f.shelf(rowOf(in.NodeId)); !ok {
		out.OpenFlags = gofuse.FOPEN_KEEP_CACHE | gofuse.FOPEN_CACHE_DIR
	}
	return gofuse.OK
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
	var found gofuse.EntryOut // one for all
	return f.list(in, func(d gofuse.DirEntry, e *entry) bool {
		found = gofuse.EntryOut{}
		if e != nil && f.answer(e, &found) != nil {
			found = gofuse.EntryOut{}
		}
		slot := out.AddDirLookupEntry(d)
		if slot != nil && e != nil {
			*slot = found
			out.FixMode(found.Mode)
		}
		return slot != nil
	})
}

// list adds the entries of a directory, from the kernel's offset on, until one
// no longer fits.
func (f *FS) list(in *gofuse.ReadIn, add func(gofuse.DirEntry, *entry) bool) gofuse.Status {
	f.stats.requests.Add(1)
	next := in.Offset
	return f.safely(func() gofuse.Status { return f.listFrom(in.NodeId, &next, add) })
}

// listFrom counts on in next, so that it can go on where it was stopped.
func (f *FS) listFrom(nodeID uint64, next *uint64, add func(gofuse.DirEntry, *entry) bool) gofuse.Status {
	if at, ok := f.shelf(rowOf(nodeID)); ok {
		return f.listNames(at, next, add)
	}
	at, n, d, status := f.directory(nodeID)
	if !status.Ok() {
		return status
	}
	if *next == 0 {
		f.enter(at)
	}
	up, _ := f.nodes.get(n.parent)
	files, subdirs := d.size()
	found := entry{node{parent: at}, d} // one for all
	var buf [maxName]byte               // a name, out of the index
	for ; *next < uint64(dots+files+subdirs); *next++ {
		i := *next
		out := gofuse.DirEntry{Off: i + 1, Mode: object.ModeDir}
		var e *entry
		switch i {
		case 0:
			out.Name, out.Ino = ".", n.ino
		case 1:
			out.Name, out.Ino = "..", up.ino
		default:
			name := buf[:copy(buf[:], d.name(int(i-dots)))]
			found.pos, found.ino = uint32(i-dots), inodeOf(n.ino, name)
			e = &found
			out.Name, out.Ino, out.Mode = unsafe.String(&name[0], len(name)), e.ino, 0
		}
		if !add(out, e) {
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
	var out gofuse.Attr
	if err := e.in.attr(int(e.pos), &out); err != nil {
		return 0
	}
	return out.Mode & object.ModeType
}

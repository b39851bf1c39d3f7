package fs

import (
	"crypto/sha256"
	"slices"
	"strings"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"

	"deployfs/objstore/object"
)

// maxWalked bounds the entries that are looked at in one repository.
const maxWalked = 10_000

// kernel asks a filesystem as the kernel would, and checks what it is told.
type kernel struct {
	*user
	fs       *FS
	verified bool // what is read must be what its name says
	errs     int
	walked   int
}

// failed counts an answer that is an error, which EIO is.
func (k *kernel) failed(what string, status gofuse.Status) bool {
	if status.Ok() {
		return false
	}
	k.errs++
	if status != gofuse.EIO {
		k.errorf("%s: %v, want EIO", what, status)
	}
	return true
}

// directory looks at all that is in a directory, and at itself.
func (k *kernel) directory(node uint64) {
	if !k.ownAttributes(node) {
		return
	}
	names, ok := k.list(node)
	if !ok {
		return
	}
	for _, name := range names {
		if k.walked++; k.walked > maxWalked || k.t.Failed() {
			return
		}
		in := gofuse.InHeader{NodeId: node}
		var out gofuse.EntryOut
		if k.failed("lookup of "+name, k.fs.Lookup(nil, &in, name, &out)) {
			continue
		}
		switch {
		case out.NodeId == 0 && k.forged: // the index was found to lie meanwhile
			k.errs++
		case out.NodeId == 0:
			k.errorf("%q is listed, and not there", name)
		case out.Mode&object.ModeType == object.ModeDir:
			k.directory(out.NodeId)
		default:
			k.file(name, &out)
		}
	}
}

// ownAttributes reads a directory's attributes, which have to be those of its dirmeta.
func (k *kernel) ownAttributes(node uint64) bool {
	var out gofuse.AttrOut
	if k.failed("getattr of a directory", k.fs.GetAttr(nil, &gofuse.GetAttrIn{InHeader: gofuse.InHeader{NodeId: node}}, &out)) {
		return false
	}
	xattrs, ok := k.xattrs(node)
	if !ok {
		return false
	}
	e, err := k.fs.entry(rowOf(node))
	d, isObjects := e.in.(objectDir)
	if err != nil || !isObjects || !k.verified {
		return true // an index has no proof
	}
	_, _, meta := d.tree.Dir(int(e.pos) - d.tree.NumFiles())
	said := object.DirMeta{UID: out.Uid, GID: out.Gid, Mode: out.Mode, Xattrs: xattrs}
	if found := object.Checksum(sha256.Sum256(said.Encode())); found != meta {
		k.errorf("dirmeta %s is shown as %s: %+v", meta, found, said)
	}
	return true
}

// list reads a directory in two ways, and checks its names.
func (k *kernel) list(node uint64) (names []string, ok bool) {
	for offset := uint64(0); ; {
		buf := gofuse.NewDirEntryList(make([]byte, 4096), offset)
		in := &gofuse.ReadIn{InHeader: gofuse.InHeader{NodeId: node}, Offset: offset, Size: 4096}
		if k.failed("readdirplus", k.fs.ReadDirPlus(nil, in, buf)) {
			return nil, false
		}
		if len(buf.Bytes()) == 0 {
			break
		}
		some, _, err := gofuse.ParseDirLookupEntries(buf.Bytes())
		if err != nil || len(some) == 0 {
			k.errorf("readdirplus: %d entries, %v", len(some), err)
			return nil, false
		}
		for _, d := range some {
			names = append(names, d.Name)
		}
		offset = some[len(some)-1].Off
	}
	names = names[min(dots, len(names)):]
	for _, name := range names {
		if err := object.CheckName([]byte(name)); err != nil || strings.IndexByte(name, 0) >= 0 {
			k.errorf("listed: %q: %v", name, err)
		}
	}
	if sorted := slices.Sorted(slices.Values(names)); len(slices.Compact(sorted)) != len(names) {
		k.errorf("listed twice: %q", names)
	}
	return names, true
}

// file reads a file or link. Only what can be read to its end is held to its name:
// until then a file is what the repository says.
func (k *kernel) file(name string, out *gofuse.EntryOut) {
	h := object.Header{UID: out.Uid, GID: out.Gid, Mode: out.Mode, Size: out.Size}
	var data []byte
	if h.IsSymlink() {
		target, status := k.fs.Readlink(nil, &gofuse.InHeader{NodeId: out.NodeId})
		if k.failed("readlink of "+name, status) {
			return
		}
		h.Target, h.Size = string(target), 0
		if uint64(len(target)) != out.Size {
			k.errorf("%q: a target of %d bytes, stat says %d", name, len(target), out.Size)
		}
	} else if data = k.read(name, out); data == nil {
		return
	}
	xattrs, ok := k.xattrs(out.NodeId)
	if !ok {
		return
	}
	h.Xattrs = xattrs
	e, err := k.fs.entry(rowOf(out.NodeId))
	if err != nil {
		k.errorf("%q: its entry: %v", name, err)
		return
	}
	if sum, err := e.content(); err == nil && k.verified && !k.forged {
		k.right(sum, &h, data)
	}
}

// read reads a file's content, nil when it can't be read.
func (k *kernel) read(name string, out *gofuse.EntryOut) []byte {
	var opened gofuse.OpenOut
	in := &gofuse.OpenIn{InHeader: gofuse.InHeader{NodeId: out.NodeId}}
	if status := k.fs.Open(nil, in, &opened); status != gofuse.ENOSYS && k.failed("open of "+name, status) {
		return nil
	}
	data := []byte{}
	for buf := make([]byte, 32<<10); ; {
		in := &gofuse.ReadIn{InHeader: gofuse.InHeader{NodeId: out.NodeId}, Offset: uint64(len(data)), Size: uint32(len(buf))}
		result, status := k.fs.Read(nil, in, buf)
		if k.failed("read of "+name, status) {
			return nil
		}
		some, status := result.Bytes(nil)
		if !status.Ok() {
			k.errorf("%q: %v", name, status)
		}
		data = append(data, some...)
		if len(some) < len(buf) {
			break
		}
		if len(data) > 64<<20 {
			k.errorf("%q does not end", name)
			return nil
		}
	}
	if uint64(len(data)) != out.Size && k.verified {
		k.errorf("%q: %d bytes, stat says %d", name, len(data), out.Size)
	}
	return data
}

// xattrs reads all extended attributes.
func (k *kernel) xattrs(node uint64) (list []object.Xattr, ok bool) {
	in, buf := gofuse.InHeader{NodeId: node}, make([]byte, 1<<16)
	n, status := k.fs.ListXAttr(nil, &in, buf)
	if status == gofuse.ENOSYS {
		return nil, true
	}
	if status == gofuse.ERANGE || k.failed("listxattr", status) {
		return nil, false
	}
	value := make([]byte, 1<<16)
	for _, name := range strings.Split(string(buf[:n]), "\x00") {
		if name == "" {
			continue
		}
		size, status := k.fs.GetXAttr(nil, &in, name, value)
		if k.failed("getxattr "+name, status) {
			return nil, false
		}
		list = append(list, object.Xattr{Name: name, Value: slices.Clone(value[:size])})
	}
	return list, true
}

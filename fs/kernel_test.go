package fs

import (
	"errors"
	"slices"
	"strings"
	"testing"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"

	"deployfs/objstore/object"
)

// The kernel's questions, each with an answer that must be a good one.

func header(node uint64) gofuse.InHeader { return gofuse.InHeader{NodeId: node} }

func (v *view) tryLookup(dir uint64, name string) (out gofuse.EntryOut, status gofuse.Status) {
	in := header(dir)
	status = v.FS.Lookup(nil, &in, name, &out)
	return out, status
}

func (v *view) lookup(dir uint64, name string) gofuse.EntryOut {
	v.t.Helper()
	out, status := v.tryLookup(dir, name)
	if !status.Ok() || out.NodeId == 0 {
		v.t.Fatalf("lookup of %q in node %d: node %d, %v", name, dir, out.NodeId, status)
	}
	return out
}

// walk looks up a path from the root on, and returns its last part's answer.
func (v *view) walk(path string) gofuse.EntryOut {
	v.t.Helper()
	out := gofuse.EntryOut{NodeId: gofuse.FUSE_ROOT_ID}
	for part := range strings.SplitSeq(path, "/") {
		out = v.lookup(out.NodeId, part)
	}
	return out
}

func (v *view) getAttr(node uint64) (gofuse.AttrOut, gofuse.Status) {
	var out gofuse.AttrOut
	status := v.FS.GetAttr(nil, &gofuse.GetAttrIn{InHeader: header(node)}, &out)
	return out, status
}

// read reads like pread(2).
func (v *view) read(node uint64, size int, offset uint64) (string, gofuse.Status) {
	in := &gofuse.ReadIn{InHeader: header(node), Offset: offset, Size: uint32(size)}
	result, status := v.FS.Read(nil, in, make([]byte, size))
	if !status.Ok() {
		return "", status
	}
	data, status := result.Bytes(make([]byte, size))
	result.Done()
	return string(data), status
}

// open opens a file as the kernel does: ENOSYS is as good as OK.
func (v *view) open(node uint64) gofuse.Status {
	var out gofuse.OpenOut
	return v.FS.Open(nil, &gofuse.OpenIn{InHeader: header(node)}, &out)
}

// list reads a directory with attributes through buffers of some size.
func (v *view) list(dir uint64, size int) (list []gofuse.DirEntry, outs []gofuse.EntryOut, status gofuse.Status) {
	for offset := uint64(0); ; {
		buf := gofuse.NewDirEntryList(make([]byte, size), offset)
		in := &gofuse.ReadIn{InHeader: header(dir), Offset: offset, Size: uint32(size)}
		if status = v.FS.ReadDirPlus(nil, in, buf); !status.Ok() || len(buf.Bytes()) == 0 {
			return list, outs, status
		}
		some, attrs, err := gofuse.ParseDirLookupEntries(buf.Bytes())
		if err != nil {
			v.t.Fatal(err)
		}
		list, outs = append(list, some...), append(outs, attrs...)
		offset = some[len(some)-1].Off
	}
}

// wantEIO fails unless a question was answered by EIO.
func (v *view) wantEIO(what string, status gofuse.Status) {
	v.t.Helper()
	if status != gofuse.EIO {
		v.t.Errorf("%s: %v, want EIO", what, status)
	}
}

// wantReports fails unless exactly these paths were reported, in this order.
func (v *view) wantReports(paths ...string) {
	v.t.Helper()
	v.mu.Lock()
	defer v.mu.Unlock()
	if !slices.Equal(v.reports, paths) {
		v.t.Errorf("reported %q, want %q: %v", v.reports, paths, v.errs)
	}
}

// wantCorrupt fails unless the last report blames this object.
func (v *view) wantCorrupt(kind object.Kind, sum object.Checksum) {
	v.t.Helper()
	v.mu.Lock()
	defer v.mu.Unlock()
	var corrupt *object.CorruptError
	if len(v.errs) == 0 || !errors.As(v.errs[len(v.errs)-1], &corrupt) || corrupt.Object != (object.Name{Checksum: sum, Kind: kind}) {
		v.t.Errorf("reported %v, want one that blames %s.%s", v.errs, sum, kind)
	}
}

// TestString is for the mount table.
func TestString(t *testing.T) {
	m := newMemory(t)
	if got := m.show(m.tree(nil), Options{}).String(); got != "deployfs" {
		t.Errorf("called %s", got)
	}
}

package fs

import (
	"testing"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"
)

// TestReadOnly refuses every kind of change.
func TestReadOnly(t *testing.T) {
	m := newMemory(t)
	f := m.show(sampleTree(m), Options{}).FS
	in := header(gofuse.FUSE_ROOT_ID)
	_, written := f.Write(nil, &gofuse.WriteIn{InHeader: in}, []byte("x"))
	for what, status := range map[string]gofuse.Status{
		"setattr":     f.SetAttr(nil, &gofuse.SetAttrIn{}, &gofuse.AttrOut{}),
		"mknod":       f.Mknod(nil, &gofuse.MknodIn{InHeader: in}, "n", &gofuse.EntryOut{}),
		"mkdir":       f.Mkdir(nil, &gofuse.MkdirIn{InHeader: in}, "n", &gofuse.EntryOut{}),
		"unlink":      f.Unlink(nil, &in, "file"),
		"rmdir":       f.Rmdir(nil, &in, "lib"),
		"rename":      f.Rename(nil, &gofuse.RenameIn{InHeader: in}, "file", "n"),
		"link":        f.Link(nil, &gofuse.LinkIn{InHeader: in}, "n", &gofuse.EntryOut{}),
		"symlink":     f.Symlink(nil, &in, "target", "n", &gofuse.EntryOut{}),
		"setxattr":    f.SetXAttr(nil, &gofuse.SetXAttrIn{InHeader: in}, "user.a", []byte("x")),
		"removexattr": f.RemoveXAttr(nil, &in, "user.a"),
		"create":      f.Create(nil, &gofuse.CreateIn{InHeader: in}, "n", &gofuse.CreateOut{}),
		"tmpfile":     f.Tmpfile(nil, &gofuse.CreateIn{InHeader: in}, &gofuse.CreateOut{}),
		"write":       written,
		"fallocate":   f.Fallocate(nil, &gofuse.FallocateIn{InHeader: in}),
	} {
		if status != gofuse.EROFS {
			t.Errorf("%s: %v", what, status)
		}
	}
}

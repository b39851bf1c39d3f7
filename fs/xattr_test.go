package fs

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"

	"deployfs/objstore/object"
)

// getXattr asks for a value with a buffer of some size.
func (v *view) getXattr(node uint64, name string, size int) ([]byte, uint32, gofuse.Status) {
	in, buf := header(node), make([]byte, size)
	n, status := v.FS.GetXAttr(nil, &in, name, buf)
	return buf[:min(int(n), size)], n, status
}

// listXattr asks for the names as some user.
func (v *view) listXattr(node uint64, uid uint32, size int) ([]string, uint32, gofuse.Status) {
	in, buf := header(node), make([]byte, size)
	in.Uid = uid
	n, status := v.FS.ListXAttr(nil, &in, buf)
	if !status.Ok() {
		return nil, n, status
	}
	return strings.Split(strings.TrimSuffix(string(buf[:n]), "\x00"), "\x00"), n, status
}

// labelled is a tree whose root, file and link have these xattrs.
func labelled(m *memory) (directory, []object.Xattr) {
	list := []object.Xattr{
		{Name: "security.capability", Value: []byte("\x01\x00\x00\x02\x00")},
		{Name: "security.selinux", Value: []byte("system_u:object_r:usr_t:s0\x00")},
		{Name: "system.posix_acl_access", Value: []byte{2, 0, 0, 0, 1, 0, 6, 0}},
		{Name: "trusted.secret", Value: []byte("for root")},
		{Name: "user.empty", Value: []byte{}},
		{Name: "user.large", Value: bytes.Repeat([]byte("v"), 64<<10)},
	}
	file := object.Header{Mode: object.ModeRegular | 0o644, Xattrs: list}
	link := object.Header{Mode: object.ModeSymlink | 0o777, Target: "t", Xattrs: list}
	root := m.treeWith(object.DirMeta{Mode: object.ModeDir | 0o755, Xattrs: list},
		entries{"file": m.object(file, "x"), "link": m.object(link, ""), "plain": m.file("x")})
	return root, list
}

func TestXattrs(t *testing.T) {
	m := newMemory(t)
	root, list := labelled(m)
	v := m.show(root, Options{})
	for _, node := range []uint64{gofuse.FUSE_ROOT_ID, v.walk("file").NodeId, v.walk("link").NodeId} {
		for _, x := range list {
			value, n, status := v.getXattr(node, x.Name, len(x.Value))
			if !status.Ok() || int(n) != len(x.Value) || !bytes.Equal(value, x.Value) {
				t.Errorf("node %d: %s of %d bytes, %v", node, x.Name, n, status)
			}
			if len(x.Value) == 0 {
				continue
			}
			for _, size := range []int{0, len(x.Value) - 1} { // 0 asks for the size
				if value, n, status := v.getXattr(node, x.Name, size); status != gofuse.ERANGE || int(n) != len(x.Value) || bytes.HasPrefix(value, x.Value[:1]) {
					t.Errorf("node %d: %s with %d bytes: %d, %v", node, x.Name, size, n, status)
				}
			}
		}
		for _, absent := range []string{"user.nope", "user.emptyx", "security.selinu", "", "system.posix_acl_default"} {
			if _, n, status := v.getXattr(node, absent, 100); status != gofuse.ENOATTR || n != 0 {
				t.Errorf("node %d: %q is %d bytes, %v", node, absent, n, status)
			}
		}
	}
	if _, _, status := v.getXattr(v.walk("plain").NodeId, "security.selinux", 100); status != gofuse.ENOATTR {
		t.Errorf("a file without xattrs: %v", status)
	}
	v.wantReports()
}

// TestListXattrs hides trusted names from all but root.
func TestListXattrs(t *testing.T) {
	m := newMemory(t)
	root, list := labelled(m)
	v := m.show(root, Options{})
	var all, public []string
	for _, x := range list {
		all = append(all, x.Name)
		if x.Name != "trusted.secret" {
			public = append(public, x.Name)
		}
	}
	for _, node := range []uint64{gofuse.FUSE_ROOT_ID, v.walk("file").NodeId, v.walk("link").NodeId} {
		for uid, want := range map[uint32][]string{0: all, 1000: public} {
			got, n, status := v.listXattr(node, uid, 4096)
			if !status.Ok() || !slices.Equal(got, want) {
				t.Errorf("node %d, user %d: %q, %v", node, uid, got, status)
			}
			if _, size, status := v.listXattr(node, uid, 0); status != gofuse.ERANGE || size != n {
				t.Errorf("node %d, user %d: %d bytes, %v, want %d", node, uid, size, status, n)
			}
			if _, _, status := v.listXattr(node, uid, int(n)-1); status != gofuse.ERANGE {
				t.Errorf("node %d, user %d: too small a buffer: %v", node, uid, status)
			}
		}
	}
	if _, n, status := v.listXattr(v.walk("plain").NodeId, 0, 0); !status.Ok() || n != 0 {
		t.Errorf("a file without xattrs: %d bytes, %v", n, status)
	}
}

func TestXattrDamage(t *testing.T) {
	m := newMemory(t)
	root, _ := labelled(m)
	v := m.show(root, Options{})
	file, link := v.walk("file"), v.walk("link")
	target := m.link("other")
	h, err := m.Header(target)
	if err != nil {
		t.Fatal(err)
	}
	tree, _ := v.FS.tree(root.tree)
	_, linkSum := tree.File(1)
	_, fileSum := tree.File(0)
	m.setHeader(linkSum, h)
	m.remove(object.Name{Checksum: fileSum, Kind: object.KindFile})
	_, _, status := v.getXattr(link.NodeId, "user.large", 1<<17)
	v.wantEIO("a changed link", status)
	v.wantCorrupt(object.KindFile, linkSum)
	_, _, status = v.listXattr(file.NodeId, 0, 1<<17)
	v.wantEIO("a file that is gone", status)
	v.wantReports("/link", "/file")
}

package tests

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// plot is a directory tree in the making; the first error stops all that follows.
type plot struct {
	root string
	err  error
}

// do runs f unless something failed before.
func (p *plot) do(what string, f func() error) {
	if p.err == nil {
		if err := f(); err != nil {
			p.err = fmt.Errorf("%s: %w", what, err)
		}
	}
}

func (p *plot) path(name string) string { return p.root + "/" + name }

func (p *plot) file(name string, data []byte) {
	p.do(name, func() error { return os.WriteFile(p.path(name), data, 0o644) })
}

func (p *plot) text(name, data string) { p.file(name, []byte(data)) }

func (p *plot) dir(name string) {
	p.do(name, func() error { return os.MkdirAll(p.path(name), 0o755) })
}

func (p *plot) link(name, target string) {
	p.do(name, func() error { return os.Symlink(target, p.path(name)) })
}

// mode sets the permission bits as chmod(2) takes them, special bits too.
func (p *plot) mode(name string, bits uint32) {
	p.do(name, func() error { return unix.Chmod(p.path(name), bits) })
}

// owner sets the owner, of a link itself; that clears special bits, so call it before mode.
func (p *plot) owner(name string, uid, gid int) {
	p.do(name, func() error { return unix.Lchown(p.path(name), uid, gid) })
}

func (p *plot) xattr(name, attr, value string) {
	p.do(name, func() error { return unix.Lsetxattr(p.path(name), attr, []byte(value), 0) })
}

// forests are built once and shared; nobody may change them.
var forests sync.Map

// forest returns the root of the named source tree: traps, crowd or plain.
func forest(t testing.TB, name string) string {
	t.Helper()
	needRoot(t)
	grow := map[string]func(*plot){"traps": growTraps, "crowd": growCrowd, "plain": growPlain}[name]
	once, _ := forests.LoadOrStore(name, sync.OnceValue(func() *plot {
		p := &plot{root: filepath.Join(work, "forest-"+name)}
		p.dir(".")
		grow(p)
		return p
	}))
	p := once.(func() *plot)()
	if p.err != nil {
		t.Fatal("building the source tree: ", p.err)
	}
	return p.root
}

// growTraps makes a tree with every file type, owner, mode, xattr, name and size trap.
func growTraps(p *plot) {
	growModes(p)
	growOwners(p)
	growXattrs(p)
	growLinks(p)
	growNames(p)
	growSizes(p)
	growOrder(p)
	growDeep(p)
	p.dir("empty")
	p.dir("sticky")
	p.mode("sticky", 0o1777)
}

// growCrowd makes 10,000 entries in one directory, among them directories and links.
func growCrowd(p *plot) {
	p.dir("crowd")
	for i := range 10000 {
		name := fmt.Sprintf("crowd/%05d-%s", i, strings.Repeat("x", i%60))
		switch {
		case i%100 == 7:
			p.dir(name)
		case i%100 == 8:
			p.link(name, fmt.Sprintf("../crowd/%05d", i-1))
		default:
			p.text(name, fmt.Sprintf("file %d\n", i%500))
		}
	}
}

// growPlain makes a small tree without traps: valid names, readable by all.
func growPlain(p *plot) {
	p.dir("usr/bin")
	p.dir("usr/share/doc")
	p.dir("var/empty")
	p.file("usr/bin/tool", noise(1, 300000))
	p.mode("usr/bin/tool", 0o755)
	p.link("bin", "usr/bin")
	p.link("usr/share/doc/self", "README")
	p.text("usr/share/doc/README", "hello\n")
	p.text("usr/share/doc/empty", "")
	for i := range 40 {
		p.file(fmt.Sprintf("usr/share/doc/%02d", i), noise(uint64(i), i*1000))
	}
}

var modes = []uint32{0, 0o111, 0o222, 0o400, 0o444, 0o600, 0o644, 0o666, 0o700, 0o755, 0o777,
	0o1644, 0o1755, 0o2644, 0o2755, 0o4644, 0o4755, 0o6711, 0o7000, 0o7777}

func growModes(p *plot) {
	p.dir("modes")
	for _, m := range modes {
		file, dir := fmt.Sprintf("modes/file-%04o", m), fmt.Sprintf("modes/dir-%04o", m)
		p.text(file, fmt.Sprintf("mode %04o\n", m))
		p.dir(dir)
		p.text(dir+"/inside", "reachable only through the directory's mode\n")
		p.mode(file, m)
		p.mode(dir, m)
	}
}

func growOwners(p *plot) {
	p.dir("owners")
	for _, o := range [][2]int{{0, 1}, {1, 0}, {1000, 1000}, {65534, 65534}, {65536, 100000}, {1<<32 - 2, 1<<32 - 2}} {
		name := fmt.Sprintf("owners/%d-%d", o[0], o[1])
		p.text(name, "same bytes, other owner\n")
		p.owner(name, o[0], o[1])
		p.mode(name, 0o4640)
		p.dir(name + ".d")
		p.text(name+".d/inside", "x")
		p.owner(name+".d", o[0], o[1])
		p.mode(name+".d", 0o2750)
		p.link(name+".l", name)
		p.owner(name+".l", o[0], o[1])
	}
}

// capability is security.capability for cap_net_raw+ep, revision 2.
var capability = string([]byte{1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})

func growXattrs(p *plot) {
	p.dir("xattrs/dir")
	all := new(bytes.Buffer)
	for b := range 256 {
		all.WriteByte(byte(b))
	}
	for _, name := range []string{"xattrs/file", "xattrs/dir"} {
		if name == "xattrs/file" {
			p.text(name, "xattrs\n")
		}
		p.xattr(name, "user.binary", all.String())
		p.xattr(name, "user.nul", "\x00")
		p.xattr(name, "user.empty", "")
		p.xattr(name, "user.B", "sorts before b")
		p.xattr(name, "user."+strings.Repeat("n", 250), "the longest name")
		p.xattr(name, "user.\xc3\xbc\xff", "odd name")
		p.xattr(name, "trusted.e2e", "\xff\x00\xfe")
		p.xattr(name, "security.e2e", "own")
		p.xattr(name, "security.selinux", "system_u:object_r:usr_t:s0\x00")
	}
	p.link("xattrs/link", "file")
	p.xattr("xattrs/link", "trusted.e2e", "on a link")
	p.xattr("xattrs/link", "security.selinux", "system_u:object_r:lib_t:s0\x00")
	p.text("xattrs/large", "one large value\n")
	p.xattr("xattrs/large", "user.large", string(noise(9, 2000)))
	p.text("xattrs/capability", "#!/bin/true\n")
	p.mode("xattrs/capability", 0o755)
	p.xattr("xattrs/capability", "security.capability", capability)
	growAcls(p)
}

// growAcls gives files and directories POSIX ACLs in the kernel's own form.
func growAcls(p *plot) {
	p.dir("acl/dir")
	p.text("acl/dir/inside", "x")
	for _, f := range []string{"granted", "denied", "masked"} {
		p.text("acl/"+f, f+"\n")
	}
	p.xattr("acl/granted", aclAccess, acl(6, aclUser(strangerID, 4), aclGroupObj(0), aclMask(4), aclOther(0)))
	p.xattr("acl/denied", aclAccess, acl(6, aclUser(strangerID, 0), aclGroupObj(4), aclMask(7), aclOther(4)))
	p.xattr("acl/masked", aclAccess, acl(6, aclUser(strangerID, 6), aclGroupObj(6), aclMask(0), aclOther(0)))
	p.xattr("acl/dir", aclAccess, acl(7, aclUser(strangerID, 5), aclGroupObj(0), aclMask(5), aclOther(0)))
	p.xattr("acl/dir", aclDefault, acl(7, aclUser(strangerID, 7), aclGroupObj(5), aclMask(7), aclOther(0)))
}

// noise returns n bytes that do not compress, the same for the same seed.
func noise(seed uint64, n int) []byte {
	var key [32]byte
	key[0], key[1] = byte(seed), byte(seed>>8)
	data := make([]byte, n)
	rand.NewChaCha8(key).Read(data)
	return data
}

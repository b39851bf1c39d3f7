package tests

import (
	endian "encoding/binary"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

func growLinks(p *plot) {
	p.dir("links")
	for _, n := range []int{1, 2, 59, 60, 61, 255, 256, 1023, 4094, 4095} {
		p.link(fmt.Sprintf("links/%d", n), strings.Repeat("t/", n)[:n])
	}
	p.link("links/absolute", "/etc/passwd")
	p.link("links/up", "../../../..")
	p.link("links/loop", "loop")
	p.link("links/newline", "a\nb\t'\"\\")
	p.link("links/utf8", "zi\u00eb\u65e5")
	p.link("links/dir", "../empty")
}

// oddNames are names that some tool or format is known to get wrong.
var oddNames = []string{
	" ", " lead", "trail ", "a b", "a\nb", "\n", "tab\there", "cr\r", "'", "\"", "\\", "\\n", "\\040", "-rf", "--help", "#", "a,b", "a:b",
	"*", "?", "[a]", "$(x)", "`x`", "%s", "%00", ";", "&", "|", "~", "!", "=", "{}", "\x01", "\x1b[31m", "\x7f",
	".hidden", "...", "..x", ".wh.file", ".wh..wh..opq", "\u00fc", "u\u0308", "\u65e5\u672c", "\U0001f600", "\u202e", "\ufffd", "\ufeff",
	"CON", "lost+found", ".git", "objects",
}

func growNames(p *plot) {
	p.dir("names")
	for i, name := range append(oddNames, strings.Repeat("n", 255), strings.Repeat("\u00fc", 127)+"x") {
		p.text("names/"+name, fmt.Sprintf("name %d\n", i))
		if len(name) < 250 {
			p.dir("names/" + name + ".d")
			p.text("names/"+name+".d/"+name, fmt.Sprintf("name %d again\n", i))
		}
	}
	long := strings.Repeat("d", 255)
	p.dir("names/" + long + "/" + long)
	p.text("names/"+long+"/"+long+"/f", "deep below long names\n")
}

func growSizes(p *plot) {
	p.dir("sizes")
	for _, n := range []int{0, 1, 2, 511, 512, 513, 4095, 4096, 4097, 65535, 65536, 131071, 131072, 131073, 1 << 20} {
		p.file(fmt.Sprintf("sizes/noise-%d", n), noise(uint64(n), n))
		p.file(fmt.Sprintf("sizes/zero-%d", n), make([]byte, n))
	}
	p.do("sizes/sparse", func() error {
		f, err := os.Create(p.path("sizes/sparse"))
		if err != nil {
			return err
		}
		defer f.Close()
		f.WriteAt([]byte("middle"), 3<<20)
		return f.Truncate(7<<20 + 5)
	})
	p.file("sizes/several-mib", noise(7, 5<<20+3))
	p.dir("same")
	for i := range 50 {
		p.text(fmt.Sprintf("same/%d", i), "the same content many times\n")
	}
	p.mode("same/7", 0o755)
	p.do("same/hardlink", func() error { return os.Link(p.path("same/0"), p.path("same/hardlink")) })
}

// growOrder makes names that sort otherwise when a directory's name is taken to end in a slash.
func growOrder(p *plot) {
	p.dir("order")
	for _, dir := range []string{"a", "ab", "b", "B", "\u00e9", "z"} {
		p.dir("order/" + dir)
		p.text("order/"+dir+"/x", dir)
		for _, tail := range []string{"!", "-", ".", "0", "\u00ff", "\x01"} {
			p.text("order/"+dir+tail, dir+tail)
		}
	}
}

func growDeep(p *plot) {
	path := "deep"
	for i := range 100 {
		p.dir(path)
		p.text(path+"/f", fmt.Sprintf("level %d\n", i))
		path += "/d"
	}
}

const (
	strangerID = 65534 // the other user of the access tests
	aclAccess  = "system.posix_acl_access"
	aclDefault = "system.posix_acl_default"
)

type aclEntry struct {
	tag, perm uint16
	id        uint32
}

const noID = 1<<32 - 1

func aclUser(id uint32, perm uint16) aclEntry { return aclEntry{0x02, perm, id} }
func aclGroupObj(perm uint16) aclEntry        { return aclEntry{0x04, perm, noID} }
func aclMask(perm uint16) aclEntry            { return aclEntry{0x10, perm, noID} }
func aclOther(perm uint16) aclEntry           { return aclEntry{0x20, perm, noID} }

// acl serialises an ACL with the owner's permissions first, as the kernel keeps it in an xattr.
func acl(owner uint16, entries ...aclEntry) string {
	data := endian.LittleEndian.AppendUint32(nil, 2)
	for _, e := range append([]aclEntry{{0x01, owner, noID}}, entries...) {
		data = endian.LittleEndian.AppendUint16(data, e.tag)
		data = endian.LittleEndian.AppendUint16(data, e.perm)
		data = endian.LittleEndian.AppendUint32(data, e.id)
	}
	return string(data)
}

// modeOf returns the type and permission bits of the entry at path, or 0.
func modeOf(path string) uint32 {
	var st unix.Stat_t
	if unix.Lstat(path, &st) != nil {
		return 0
	}
	return st.Mode
}

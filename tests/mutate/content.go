package mutate

import (
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// content is a content object, good or bad.
type content struct {
	uid, gid, mode, rdev uint32
	target               string
	xattrs               [][]byte // each a tuple of name, with its NUL, and value
	size                 uint64
	data                 []byte
}

// header is the serialised header, with the size in front of it if that is to be.
func (c *content) header(withSize bool) []byte {
	var body []byte
	if withSize {
		body = binary.BigEndian.AppendUint64(body, c.size)
	}
	for _, n := range []uint32{c.uid, c.gid, c.mode, c.rdev} {
		body = binary.BigEndian.AppendUint32(body, n)
	}
	body = append(body, c.target+"\x00"...)
	end := len(body)
	variant := offsets(append(body, array(c.xattrs...)...), []int{end})
	return append(binary.BigEndian.AppendUint64(nil, uint64(len(variant))<<32), variant...)
}

// meta is what bare-user repositories keep in an extended attribute.
func (c *content) meta() []byte {
	var body []byte
	for _, n := range []uint32{c.uid, c.gid, c.mode} {
		body = binary.BigEndian.AppendUint32(body, n)
	}
	return append(body, array(c.xattrs...)...)
}

func (c *content) isFile() bool { return c.mode&unix.S_IFMT == unix.S_IFREG }

// sum is the object's name.
func (c *content) sum() string {
	hash := sha256.New()
	hash.Write(c.header(false))
	if c.isFile() {
		hash.Write(c.data)
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// filez is the object as an archive has it.
func (c *content) filez() []byte {
	data := c.header(true)
	if !c.isFile() {
		return data
	}
	var deflated bytes.Buffer
	w, _ := flate.NewWriter(&deflated, 6) // the level is one that exists
	w.Write(c.data)
	w.Close()
	return append(data, deflated.Bytes()...)
}

// store writes the object under the name sum, as far as a file can be so.
func (r *Repo) store(sum string, c *content) {
	path := r.object(sum, "file")
	switch r.Mode {
	case "archive":
		r.put(path, c.filez())
	case "bare-user":
		data := c.data
		if c.mode&unix.S_IFMT == unix.S_IFLNK {
			data = []byte(c.target + "\x00")
		}
		r.put(path, data)
		unix.Setxattr(path, "user.ostreemeta", c.meta(), 0) // one that is too large stays away
	default:
		r.storeBare(path, c)
		if r.Mode == "bare-split-xattrs" {
			r.put(r.object(sum, "file-xattrs-link"), array(c.xattrs...))
		}
	}
}

// storeBare writes the object as a file that is what it says, as far as the
// system permits that.
func (r *Repo) storeBare(path string, c *content) {
	r.clear(path)
	err := error(nil)
	switch c.mode & unix.S_IFMT {
	case unix.S_IFLNK:
		err = os.Symlink(c.target, path)
	case unix.S_IFDIR:
		err = os.Mkdir(path, 0o755)
	case unix.S_IFREG:
		err = os.WriteFile(path, c.data, 0o644)
	default:
		err = unix.Mknod(path, c.mode, 0x103)
	}
	if err != nil { // a link to nowhere, a type that is none
		r.check(os.WriteFile(path, c.data, 0o644))
	}
	unix.Lchown(path, int(c.uid), int(c.gid))
	if c.mode&unix.S_IFMT != unix.S_IFLNK {
		unix.Chmod(path, c.mode&0o7777)
	}
	if r.Mode != "bare" {
		return
	}
	for _, x := range c.xattrs {
		if pair := members(x, 2); len(pair[0]) > 0 {
			unix.Lsetxattr(path, string(pair[0][:len(pair[0])-1]), pair[1], 0)
		}
	}
}

// modes are those that no object may have, and others.
var modes = []uint32{
	0, 0o644, unix.S_IFDIR | 0o755, unix.S_IFIFO | 0o644, unix.S_IFSOCK | 0o644, unix.S_IFCHR | 0o666, unix.S_IFLNK | 0o777, unix.S_IFREG,
	unix.S_IFREG | 0o7777, unix.S_IFREG | 0o4755, unix.S_IFLNK, unix.S_IFREG | 1<<16 | 0o644, 1<<32 - 1, unix.S_IFREG | 0o200, unix.S_IFREG | 0o666,
}

var targets = []string{
	"", "x", "/etc/passwd", "../../../../etc/passwd", "a\x00b", "\x1b[31m\n", strings.Repeat("t", 4095), strings.Repeat("t", 4096), strings.Repeat("t", 70000), ".", "hello",
}

var xattrs = [][2]string{
	{"", "v"}, {"\x00", "v"}, {"user.a\x00", "other"}, {"user.a", "v"}, {"user.\x00", "v"}, {"user.a\x00b\x00", "v"}, {"user.c\x00", ""},
	{"security.capability\x00", "\x01\x00\x00\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"},
	{"trusted.overlay.opaque\x00", "y"}, {"trusted.overlay.redirect\x00", "/etc"}, {"system.posix_acl_access\x00", "junk"}, {"nospace\x00", "v"},
	{"user." + strings.Repeat("n", 250) + "\x00", "v"}, {"user." + strings.Repeat("n", 251) + "\x00", "v"}, {"user.z\x00", strings.Repeat("v", 65536)},
	{"user.z\x00", strings.Repeat("v", 65537)}, {"user.\xff\x00", "v"}, {"user.ostreemeta\x00", "junk"}, {"user.\n\x1b\x00", "v"},
}

func addXattr(r *rand.Rand, c *content) {
	x := xattrs[r.IntN(len(xattrs))]
	c.xattrs = slices.Insert(c.xattrs, r.IntN(len(c.xattrs)+1), tuple([]byte(x[0]), []byte(x[1])))
}

// contentChanges change what an object says, and leave it in normal form.
var contentChanges = []func(r *rand.Rand, c *content){
	func(r *rand.Rand, c *content) { c.mode = modes[r.IntN(len(modes))] },
	func(r *rand.Rand, c *content) { c.mode ^= 1 << r.IntN(32) },
	func(r *rand.Rand, c *content) { c.uid = uint32(numbers[r.IntN(len(numbers))]) },
	func(r *rand.Rand, c *content) { c.gid = r.Uint32() },
	func(r *rand.Rand, c *content) { c.rdev = uint32(numbers[r.IntN(len(numbers))]) },
	func(r *rand.Rand, c *content) { c.target = targets[r.IntN(len(targets))] },
	func(r *rand.Rand, c *content) { c.size = numbers[r.IntN(len(numbers))] },
	func(r *rand.Rand, c *content) { c.size += uint64(r.IntN(9)) - 4 },
	func(r *rand.Rand, c *content) { c.data = Bytes(r, c.data) },
	func(r *rand.Rand, c *content) { c.data = Bytes(r, c.data); c.size = uint64(len(c.data)) },
	addXattr, addXattr,
	func(r *rand.Rand, c *content) { slices.Reverse(c.xattrs) },
	func(r *rand.Rand, c *content) { c.xattrs = append(c.xattrs, c.xattrs...) },
	func(r *rand.Rand, c *content) { // many of them, in order
		for i := range r.IntN(400) {
			c.xattrs = append(c.xattrs, tuple([]byte("user.m"+string(rune('a'+i/676))+string(rune('a'+i/26%26))+string(rune('a'+i%26))+"\x00"), []byte("v")))
		}
	},
}

// changeContent changes a content object: what it says, or the bytes that say it.
func (r *Repo) changeContent(random *rand.Rand) string {
	f := r.files[random.IntN(len(r.files))]
	if random.IntN(3) == 0 {
		r.changeObjectFile(random, f.sum)
		return f.sum + ".file, its bytes"
	}
	c := f.content
	c.xattrs = slices.Clone(c.xattrs)
	for more := true; more; more = random.IntN(4) == 0 {
		contentChanges[random.IntN(len(contentChanges))](random, &c)
	}
	if random.IntN(2) == 0 {
		r.store(f.sum, &c)
		return f.sum + ".file, what it says"
	}
	sum := c.sum()
	r.store(sum, &c)
	r.relink(f.sum, sum)
	return f.sum + ".file became " + sum
}

// changeObjectFile changes the bytes of an object's file, or of what stands beside it.
func (r *Repo) changeObjectFile(random *rand.Rand, sum string) {
	path := r.object(sum, "file")
	meta, err := getxattr(path, "user.ostreemeta")
	switch {
	case r.Mode == "bare-split-xattrs" && random.IntN(2) == 0:
		path = r.object(sum, "file-xattrs-link")
		r.replace(random, path, Bytes(random, r.read(path)))
		return
	case err == nil && random.IntN(4) > 0:
		r.put(path, r.read(path))
		unix.Setxattr(path, "user.ostreemeta", Bytes(random, meta), 0)
		return
	}
	if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
		r.replace(random, path, []byte("a link became a file"))
		return
	}
	data := r.read(path)
	r.replace(random, path, Bytes(random, data))
	if err == nil {
		unix.Setxattr(path, "user.ostreemeta", meta, 0)
	}
}

func getxattr(path, name string) ([]byte, error) {
	value := make([]byte, 1<<16)
	n, err := unix.Lgetxattr(path, name, value)
	return value[:max(n, 0)], err
}

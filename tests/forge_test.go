package tests

import (
	"bytes"
	"compress/flate"
	"crypto/sha256"
	endian "encoding/binary"
	"encoding/hex"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// forge writes objects by hand, right or wrong, into an archive repository.
type forge struct {
	t    testing.TB
	repo string
}

func newForge(t testing.TB) forge { return forge{t, newRepo(t, "archive")} }

// write writes an object file under any name.
func (f forge) write(sum, kind string, data []byte) {
	f.t.Helper()
	path := objectPath(f.repo, sum, kind)
	os.MkdirAll(filepath.Dir(path), 0o755)
	if err := os.WriteFile(path, data, 0o644); err != nil {
		f.t.Fatal(err)
	}
}

// meta writes a metadata object under its true name, which it returns.
func (f forge) meta(kind string, data []byte) string {
	f.t.Helper()
	sum := sumOf(data)
	f.write(sum, kind, data)
	return sum
}

func sumOf(data ...[]byte) string {
	h := sha256.Sum256(bytes.Join(data, nil))
	return hex.EncodeToString(h[:])
}

// raw returns a checksum's bytes.
func raw(sum string) []byte {
	b, err := hex.DecodeString(sum)
	if err != nil {
		panic(err)
	}
	return b
}

// gvFile and gvDir are elements of a dirtree.
func gvFile(name string, sum []byte) gv { return gvTuple(gvString(name), gvBytes(sum)) }

func gvDir(name string, tree, meta []byte) gv {
	return gvTuple(gvString(name), gvBytes(tree), gvBytes(meta))
}

// gvTree serialises a dirtree with its elements in the given order.
func gvTree(files, dirs []gv) []byte { return gvTuple(gvArray(1, files...), gvArray(1, dirs...)).data }

// gvMeta serialises a dirmeta.
func gvMeta(mode uint32, xattrs ...gv) []byte {
	return gvTuple(gvBE32(0), gvBE32(0), gvBE32(mode), gvArray(1, xattrs...)).data
}

func gvXattr(name, value string) gv { return gvTuple(gvString(name), gvBytes([]byte(value))) }

// dirmeta writes the dirmeta of a plain directory.
func (f forge) dirmeta() string { return f.meta("dirmeta", gvMeta(unix.S_IFDIR|0o755)) }

// dir writes a dirtree out of names and checksums, in order.
func (f forge) dir(files map[string]string, dirs map[string]string) string {
	f.t.Helper()
	var fs, ds []gv
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fs = append(fs, gvFile(name, raw(files[name])))
	}
	for _, name := range slices.Sorted(maps.Keys(dirs)) {
		ds = append(ds, gvDir(name, raw(dirs[name]), raw(f.dirmeta())))
	}
	return f.meta("dirtree", gvTree(fs, ds))
}

// commit writes a commit of these root objects.
func (f forge) commit(tree, meta string) string {
	return f.meta("commit", gvCommit(nil, nil, raw(tree), raw(meta)))
}

func gvCommit(metadata, parent, tree, meta []byte) []byte {
	return gvTuple(gv{data: metadata, align: 8}, gvBytes(parent), gvArray(1), gvString("hostile"), gvString(""),
		gvBE64(1700000000), gvBytes(tree), gvBytes(meta)).data
}

// header holds the attributes of a content object; the zero value is an empty file of mode 0.
type header struct {
	mode, rdev uint32
	target     string
	xattrs     []gv
}

var plainFile = header{mode: unix.S_IFREG | 0o644}

// sum is the checksum of a content object.
func (h header) sum(content []byte) string {
	return sumOf(framed(gvTuple(gvBE32(0), gvBE32(0), gvBE32(h.mode), gvBE32(h.rdev), gvString(h.target), gvArray(1, h.xattrs...)).data), content)
}

// filez is the start of an archive file, up to the deflated bytes.
func (h header) filez(size uint64) []byte {
	return framed(gvTuple(gvBE64(size), gvBE32(0), gvBE32(0), gvBE32(h.mode), gvBE32(h.rdev), gvString(h.target), gvArray(1, h.xattrs...)).data)
}

// framed puts the length and the padding before a header.
func framed(variant []byte) []byte {
	return append(append(endian.BigEndian.AppendUint32(nil, uint32(len(variant))), 0, 0, 0, 0), variant...)
}

// deflated returns data as a raw deflate stream.
func deflated(data []byte) []byte {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, 6)
	w.Write(data)
	w.Close()
	return b.Bytes()
}

// file writes a content object that is right in every way.
func (f forge) file(h header, content []byte) string {
	f.t.Helper()
	data := h.filez(uint64(len(content)))
	if h.mode&unix.S_IFMT == unix.S_IFREG {
		data = append(data, deflated(content)...)
	}
	f.write(h.sum(content), "filez", data)
	return h.sum(content)
}

// TestForge has the real ostree check what the forge makes when nothing is wrong.
func TestForge(t *testing.T) {
	f := newForge(t)
	p := &plot{root: scratch(t)}
	p.file("f", noise(1, 70000))
	p.link("l", "target")
	p.dir("d")
	p.text("d/x", "")
	if p.err != nil {
		t.Fatal(p.err)
	}
	inner := f.dir(map[string]string{"x": f.file(plainFile, nil)}, nil)
	root := f.dir(map[string]string{"f": f.file(plainFile, noise(1, 70000)), "l": f.file(header{mode: unix.S_IFLNK | 0o777, target: "target"}, nil)}, map[string]string{"d": inner})
	sum := f.commit(root, f.dirmeta())
	ostree(t, f.repo, "refs", "--create=main", sum)
	ostree(t, f.repo, "fsck")
	same(t, snapshot(t, p.root), checkedOut(t, f.repo, "main"))
}

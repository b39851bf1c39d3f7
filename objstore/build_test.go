package objstore

import (
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
)

// allModes are the names that a config may have.
var allModes = []string{"bare", "bare-user", "bare-user-only", "bare-split-xattrs", "archive", "archive-z2"}

// builder writes a repository by hand.
type builder struct {
	t    testing.TB
	path string
	mode Mode
}

// build makes an empty repository; lines are added to its config.
func build(t testing.TB, mode string, lines ...string) *builder {
	t.Helper()
	m, err := ParseMode(mode)
	if err != nil {
		t.Fatal(err)
	}
	b := &builder{t, t.TempDir(), m}
	config := "[core]\nrepo_version=1\nmode=" + mode + "\n"
	for _, line := range lines {
		config += line + "\n"
	}
	b.write("config", []byte(config))
	for _, dir := range []string{"objects", "state", "refs/heads", "refs/remotes"} {
		b.mkdir(dir)
	}
	return b
}

func (b *builder) check(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *builder) file(path string) string { return filepath.Join(b.path, path) }

func (b *builder) mkdir(path string) { b.t.Helper(); b.check(os.MkdirAll(b.file(path), 0o755)) }

func (b *builder) write(path string, data []byte) {
	b.t.Helper()
	b.mkdir(filepath.Dir(path))
	b.check(os.WriteFile(b.file(path), data, 0o644))
}

func (b *builder) link(target, path string) {
	b.t.Helper()
	b.mkdir(filepath.Dir(path))
	b.check(os.Symlink(target, b.file(path)))
}

// open opens the repository until the test ends.
func (b *builder) open() *Repo {
	b.t.Helper()
	r, err := Open(b.path)
	b.check(err)
	b.t.Cleanup(func() { r.Close() })
	return r
}

// object is the path of an object's file in the repository.
func (b *builder) object(sum object.Checksum, kind object.Kind) string {
	r := Repo{mode: b.mode}
	return "objects/" + r.loosePath(object.Name{Checksum: sum, Kind: kind})
}

// meta writes a metadata object under its true name.
func (b *builder) meta(kind object.Kind, data []byte) object.Checksum {
	b.t.Helper()
	sum := object.Checksum(sha256.Sum256(data))
	b.write(b.object(sum, kind), data)
	return sum
}

func (b *builder) dirmeta() object.Checksum {
	b.t.Helper()
	return b.meta(object.KindDirMeta, object.DirMeta{Mode: object.ModeDir | 0o755}.Encode())
}

// dirtree writes a directory of files and of subdirectories with a plain dirmeta.
func (b *builder) dirtree(files, dirs map[string]object.Checksum) object.Checksum {
	b.t.Helper()
	var f, d []gvariant.Value
	for _, name := range slices.Sorted(maps.Keys(files)) {
		f = append(f, gvariant.NewTuple(gvariant.NewString(name), sumValue(files[name])))
	}
	meta := b.dirmeta()
	for _, name := range slices.Sorted(maps.Keys(dirs)) {
		d = append(d, gvariant.NewTuple(gvariant.NewString(name), sumValue(dirs[name]), sumValue(meta)))
	}
	tree := gvariant.NewTuple(gvariant.NewArray("(say)", f...), gvariant.NewArray("(sayay)", d...))
	return b.meta(object.KindDirTree, tree.Bytes())
}

// sumValue is a checksum as an ay, empty for none.
func sumValue(sum object.Checksum) gvariant.Value {
	if sum.IsZero() {
		return gvariant.NewBytes(nil)
	}
	return gvariant.NewBytes(sum[:])
}

// commit writes a commit of an empty tree.
func (b *builder) commit(subject string, parent object.Checksum) object.Checksum {
	b.t.Helper()
	tree := gvariant.NewTuple(gvariant.NewArray("{sv}"), sumValue(parent), gvariant.NewArray("(say)"),
		gvariant.NewString(subject), gvariant.NewString(""), gvariant.NewUint64(0),
		sumValue(b.dirtree(nil, nil)), sumValue(b.dirmeta()))
	return b.meta(object.KindCommit, tree.Bytes())
}

func (b *builder) ref(name string, sum object.Checksum) {
	b.t.Helper()
	b.write("refs/"+name, []byte(sum.String()+"\n"))
}

// regular is the header of a file that any user can store in any mode.
func (b *builder) regular(content []byte, xattrs ...object.Xattr) object.Header {
	h := object.Header{Mode: object.ModeRegular | 0o644, Size: uint64(len(content)), Xattrs: xattrs}
	if b.mode == Bare || b.mode == BareSplitXattrs {
		h.UID, h.GID = uint32(os.Geteuid()), uint32(os.Getegid())
	}
	return h
}

// symlink is the header of a symbolic link that any user can store.
func (b *builder) symlink(target string) object.Header {
	h := b.regular(nil)
	h.Mode, h.Target = object.ModeSymlink|0o777, target
	return h
}

// checksum is the name of a content object.
func checksum(h object.Header, content []byte) object.Checksum {
	return object.Checksum(sha256.Sum256(append(h.Hashed(), content...)))
}

// content writes a content object as the repository's mode stores it.
func (b *builder) content(h object.Header, content []byte) object.Checksum {
	b.t.Helper()
	sum := checksum(h, content)
	path := b.object(sum, object.KindFile)
	switch {
	case b.mode == Archive:
		b.write(path, filez(h, content))
		return sum
	case b.mode == BareUser:
		if h.IsSymlink() {
			content = append([]byte(h.Target), 0)
		}
		b.write(path, content)
		meta := object.DirMeta{UID: h.UID, GID: h.GID, Mode: h.Mode, Xattrs: h.Xattrs}
		b.setxattr(path, "user.ostreemeta", meta.Encode())
		return sum
	case h.IsSymlink():
		b.link(h.Target, path)
	default:
		b.write(path, content)
		b.check(os.Chmod(b.file(path), os.FileMode(h.Mode&0o777)))
	}
	if b.mode == BareSplitXattrs {
		b.write(b.object(sum, object.KindFileXattrsLink), object.XattrsValue(h.Xattrs).Bytes())
	} else if b.mode == Bare {
		for _, x := range h.Xattrs {
			b.setxattr(path, x.Name, x.Value)
		}
	}
	return sum
}

func (b *builder) setxattr(path, name string, value []byte) {
	b.t.Helper()
	err := unix.Lsetxattr(b.file(path), name, value, 0)
	if err == unix.ENOTSUP {
		b.t.Skipf("skipped: no xattrs in %s", b.path)
	}
	b.check(err)
}

// filez is an archive object's file.
func filez(h object.Header, content []byte) []byte {
	data := h.EncodeFilez()
	if h.IsSymlink() {
		return data
	}
	return append(data, deflate(content)...)
}

func deflate(content []byte) []byte {
	var out bytes.Buffer
	w, _ := flate.NewWriter(&out, 6) // the level is one that exists
	w.Write(content)
	w.Close()
	return out.Bytes()
}

// quickly fails when work takes longer than anything here may.
func quickly(t testing.TB, work func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		work()
	}()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("hangs")
	}
}

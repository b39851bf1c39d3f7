package objstore

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"deployfs/objstore/object"
)

// use opens an object and reads it to its end.
func use(r *Repo, sum object.Checksum) (read int64, err error) {
	c, err := r.Content(sum)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	return io.Copy(io.Discard, c)
}

// wantCorrupt fails unless err blames the object.
func wantCorrupt(t testing.TB, what string, name object.Name, err error) {
	t.Helper()
	var corrupt *object.CorruptError
	if !errors.As(err, &corrupt) || corrupt.Object != name {
		t.Errorf("%s: got %v, want an error that blames %s", what, err, name)
	}
	if errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s: said to be absent", what)
	}
}

// TestFilezDamage: an archive object that is not what it should be is refused
// when it is opened or read, and never gives more than its header says.
func TestFilezDamage(t *testing.T) {
	content := bytes.Repeat([]byte("some content "), 1000)
	b := build(t, "archive")
	h := b.regular(content)
	sum := b.content(h, content)
	path := b.object(sum, object.KindFile)
	right := filez(h, content)
	with := func(change func(*object.Header)) []byte {
		other := h
		change(&other)
		return append(other.EncodeFilez(), deflate(content)...)
	}
	head := len(h.EncodeFilez())
	tail := deflate(content)
	for what, data := range map[string][]byte{
		"no bytes":          nil,
		"half a prefix":     right[:4],
		"a prefix alone":    right[:8],
		"a cut header":      right[:20],
		"no content":        right[:head],
		"a cut content":     right[:len(right)-5],
		"a length of 0":     slices.Concat(make([]byte, 8), right[8:]),
		"a large length":    slices.Concat([]byte{0, 1, 0, 0, 0, 0, 0, 0}, right[8:]),
		"a short length":    slices.Concat([]byte{0, 0, 0, 25, 0, 0, 0, 0}, right[8:]),
		"a dirty prefix":    slices.Concat(right[:7], []byte{1}, right[8:]),
		"deflated garbage":  slices.Concat(right[:head], []byte{0xff, 0xff, 0xff, 0xff}),
		"no end of deflate": slices.Concat(right[:head], []byte{0x00, 0x03, 0x00, 0xfc, 0xff, 'a', 'b', 'c'}),
		"a flipped bit":     slices.Concat(right[:head], tail[:9], []byte{tail[9] ^ 1}, tail[10:]),
		"longer content":    slices.Concat(right[:head], deflate(append(content, 'x'))),
		"much longer":       slices.Concat(right[:head], deflate(make([]byte, 10<<20))),
		"shorter content":   slices.Concat(right[:head], deflate(content[1:])),
		"other content":     slices.Concat(right[:head], deflate(bytes.ToUpper(content))),
		"another size":      with(func(h *object.Header) { h.Size++ }),
		"a size of 0":       with(func(h *object.Header) { h.Size = 0 }),
		"a size of 2^62":    with(func(h *object.Header) { h.Size = 1 << 62 }),
		"a size of 2^63":    with(func(h *object.Header) { h.Size = 1 << 63 }),
		"another mode":      with(func(h *object.Header) { h.Mode |= 0o4000 }),
		"another owner":     with(func(h *object.Header) { h.UID++ }),
		"an xattr more":     with(func(h *object.Header) { h.Xattrs = []object.Xattr{{Name: "user.a", Value: []byte("x")}} }),
		"a device":          with(func(h *object.Header) { h.Mode = unix.S_IFCHR | 0o644 }),
		"a symlink":         filez(b.symlink("target"), nil),
	} {
		b.write(path, data)
		read, err := use(b.open(), sum)
		wantCorrupt(t, what, object.Name{Checksum: sum, Kind: object.KindFile}, err)
		if read > int64(len(content)) {
			t.Errorf("%s: gave %d bytes", what, read)
		}
	}
	b.write(path, append(right, "garbage behind the end of the stream"...))
	if _, err := use(b.open(), sum); err != nil {
		t.Errorf("bytes behind the end: %v", err)
	}
}

// TestTrust: a trusted object may be wrong, but neither longer nor shorter than it says.
func TestTrust(t *testing.T) {
	content := []byte("right content")
	b := build(t, "archive")
	h := b.regular(content)
	sum := b.content(h, content)
	path := b.object(sum, object.KindFile)
	for other, ok := range map[string]bool{"wrong content": true, "wrong": false, "much longer content": false} {
		b.write(path, append(h.EncodeFilez(), deflate([]byte(other))...))
		c, err := b.open().Content(sum)
		if err != nil {
			t.Fatal(err)
		}
		c.Trust()
		data, err := io.ReadAll(c)
		if (err == nil) != ok || ok && string(data) != other {
			t.Errorf("%s: %q, %v", other, data, err)
		}
		b.check(c.Close())
	}
}

// TestBareDamage changes object files that are the content themselves.
func TestBareDamage(t *testing.T) {
	for _, mode := range []string{"bare", "bare-user", "bare-user-only", "bare-split-xattrs"} {
		content := []byte("some content\n")
		b := build(t, mode)
		sum := b.content(b.regular(content), content)
		path := b.file(b.object(sum, object.KindFile))
		for _, other := range []string{"", "some content", "some content\n\n", "some c0ntent\n"} {
			b.check(os.WriteFile(path, []byte(other), 0))
			_, err := use(b.open(), sum)
			wantCorrupt(t, mode+": "+other, object.Name{Checksum: sum, Kind: object.KindFile}, err)
		}
	}
}

// TestGrowing: content that grows while it is read is refused.
func TestGrowing(t *testing.T) {
	b := build(t, "bare-user")
	content := []byte("some content\n")
	sum := b.content(b.regular(content), content)
	c, err := b.open().Content(sum)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	b.check(os.WriteFile(b.file(b.object(sum, object.KindFile)), append(content, "more"...), 0))
	data, err := io.ReadAll(c)
	wantCorrupt(t, "grown", object.Name{Checksum: sum, Kind: object.KindFile}, err)
	if len(data) > len(content) {
		t.Errorf("gave %q", data)
	}
}

// TestUserMetaDamage: in bare-user mode an xattr says what the object is.
func TestUserMetaDamage(t *testing.T) {
	b := build(t, "bare-user")
	content := []byte("content")
	for what, meta := range map[string][]byte{
		"no meta":     nil,
		"cut meta":    object.DirMeta{Mode: object.ModeRegular | 0o644}.Encode()[:11],
		"other mode":  object.DirMeta{Mode: object.ModeRegular | 0o600}.Encode(),
		"a directory": object.DirMeta{Mode: object.ModeDir | 0o755}.Encode(),
		"a fifo":      object.DirMeta{Mode: unix.S_IFIFO | 0o644}.Encode(),
		"a symlink":   object.DirMeta{Mode: object.ModeSymlink | 0o777}.Encode(),
	} {
		sum := b.content(b.regular(content), content)
		path := b.object(sum, object.KindFile)
		if meta == nil {
			b.check(unix.Removexattr(b.file(path), "user.ostreemeta"))
		} else {
			b.setxattr(path, "user.ostreemeta", meta)
		}
		_, err := use(b.open(), sum)
		wantCorrupt(t, what, object.Name{Checksum: sum, Kind: object.KindFile}, err)
	}
	for what, stored := range map[string]string{"empty target": "", "NUL first": "\x00x", "long target": string(noise(5000)) + "x"} {
		sum := b.content(b.symlink("target"), nil)
		b.check(os.WriteFile(b.file(b.object(sum, object.KindFile)), []byte(stored), 0))
		_, err := use(b.open(), sum)
		wantCorrupt(t, what, object.Name{Checksum: sum, Kind: object.KindFile}, err)
	}
}

// TestSplitXattrsDamage: without its xattrs an object is not whole.
func TestSplitXattrsDamage(t *testing.T) {
	b := build(t, "bare-split-xattrs")
	content := []byte("content")
	sum := b.content(b.regular(content), content)
	path := b.object(sum, object.KindFileXattrsLink)
	other := object.XattrsValue([]object.Xattr{{Name: "user.a", Value: []byte("x")}}).Bytes()
	for what, data := range map[string][]byte{"junk": []byte("junk"), "other xattrs": other, "cut xattrs": other[:5]} {
		b.write(path, data)
		_, err := use(b.open(), sum)
		wantCorrupt(t, what, object.Name{Checksum: sum, Kind: object.KindFile}, err)
	}
	b.check(os.Remove(b.file(path)))
	_, err := use(b.open(), sum)
	wantCorrupt(t, "no xattrs", object.Name{Checksum: sum, Kind: object.KindFile}, err)
	if _, err := b.open().Stat(sum); err != nil {
		t.Errorf("stat, which needs no xattrs: %v", err)
	}
}

// strange puts something that is no regular file in an object's place.
var strange = map[string]func(path string) error{
	"a directory":          func(path string) error { return os.Mkdir(path, 0o755) },
	"a pipe":               func(path string) error { return unix.Mkfifo(path, 0o644) },
	"a link to the object": func(path string) error { return os.Symlink("moved", path) },
	"a link to nothing":    func(path string) error { return os.Symlink("nothing", path) },
	"a link to a device":   func(path string) error { return os.Symlink("/dev/zero", path) },
	"a link to itself":     func(path string) error { return os.Symlink(filepath.Base(path), path) },
}

// TestStrangeFiles: only regular files are objects, and a link in a bare
// repository is never followed. A pipe does not make anybody wait.
func TestStrangeFiles(t *testing.T) {
	everyMode(t, func(t *testing.T, b *builder) {
		content := []byte("content")
		sum := b.content(b.regular(content), content)
		commit := b.commit("subject", object.Checksum{})
		names := []object.Name{{Checksum: sum, Kind: object.KindFile}, {Checksum: commit, Kind: object.KindCommit}}
		for what, put := range strange {
			for _, name := range names {
				path := b.file(b.object(name.Checksum, name.Kind))
				moved := filepath.Join(filepath.Dir(path), "moved")
				b.check(os.Rename(path, moved))
				b.check(put(path))
				quickly(t, func() {
					r := b.open()
					var err error
					if name.Kind == object.KindFile {
						_, err = use(r, name.Checksum)
					} else {
						_, err = r.Commit(name.Checksum)
					}
					wantCorrupt(t, what, name, err)
				})
				b.check(os.RemoveAll(path))
				b.check(os.Rename(moved, path))
			}
		}
	})
}

// TestPipeWithWriter: not even a pipe that somebody holds open for writing is waited for.
func TestPipeWithWriter(t *testing.T) {
	everyMode(t, func(t *testing.T, b *builder) {
		sum := object.Checksum{1}
		for _, path := range []string{b.object(sum, object.KindFile), b.object(sum, object.KindCommit), "refs/heads/main"} {
			b.mkdir(filepath.Dir(path))
			b.check(unix.Mkfifo(b.file(path), 0o644))
			writer, err := os.OpenFile(b.file(path), os.O_RDWR, 0)
			b.check(err)
			defer writer.Close()
		}
		r := b.open()
		quickly(t, func() {
			_, err := r.Content(sum)
			wantCorrupt(t, "content", object.Name{Checksum: sum, Kind: object.KindFile}, err)
			_, err = r.Commit(sum)
			wantCorrupt(t, "commit", object.Name{Checksum: sum, Kind: object.KindCommit}, err)
		})
		quickly(t, func() {
			if sum, err := r.Resolve("main"); err == nil {
				t.Errorf("a pipe is a ref to %s", sum)
			}
			if list, err := r.Refs(); err != nil || len(list) > 0 {
				t.Errorf("a pipe is listed: %v, %v", list, err)
			}
		})
	})
}

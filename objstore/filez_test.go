package objstore

import (
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"io"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"deployfs/objstore/object"
)

// memory is a file of these bytes that is nowhere on disk.
func memory(t testing.TB, data []byte) *os.File {
	t.Helper()
	fd, err := unix.MemfdCreate("filez", unix.MFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), "filez")
	if _, err := f.WriteAt(data, 0); err != nil {
		t.Fatal(err)
	}
	return f
}

// readArchive reads an archive object as [Repo.Content] does; nil when its header is refused.
func readArchive(t testing.TB, data []byte, sum object.Checksum) *Content {
	t.Helper()
	f := memory(t, data)
	c := &Content{name: object.Name{Checksum: sum, Kind: object.KindFile}, hash: sha256.New()}
	if err := c.readFilez(f, int64(len(data))); err != nil {
		f.Close()
		return nil
	}
	c.hash.Write(c.Header.Hashed())
	return c
}

// inflate is another reader of the content: all of it, and whether it is as long
// as the header says.
func inflate(h object.Header, deflated []byte) (content []byte, ok bool) {
	if h.IsSymlink() {
		return nil, true
	}
	r := flate.NewReader(bytes.NewReader(deflated))
	content, err := io.ReadAll(io.LimitReader(r, int64(min(h.Size, 1<<24)+1)))
	return content, err == nil && uint64(len(content)) == h.Size
}

// FuzzFilez: the content that comes out is what another inflater makes of it,
// it is never longer than the header says, and it ends well only under the
// checksum that it has.
func FuzzFilez(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		c := readArchive(t, data, object.Checksum{})
		if c == nil {
			return
		}
		h := c.Header
		got, err := io.ReadAll(c)
		if err == nil {
			t.Fatal("content of the checksum 0")
		}
		if uint64(len(got)) > h.Size {
			t.Fatalf("%d bytes, the header says %d", len(got), h.Size)
		}
		if n, again := c.Read(make([]byte, 10)); n > 0 || again == nil || again == io.EOF {
			t.Fatalf("after the error: %d bytes, %v", n, again)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		want, ok := inflate(h, data[len(h.EncodeFilez()):])
		c = readArchive(t, data, checksum(h, want))
		defer c.Close()
		got, err = io.ReadAll(c)
		if (err == nil) != ok {
			t.Fatalf("read %d of %d bytes: %v; another inflater: %v", len(got), h.Size, err, ok)
		}
		if ok && !bytes.Equal(got, want) {
			t.Fatalf("read %x, want %x", got, want)
		}
	})
}

func TestFileChecksum(t *testing.T) {
	b := build(t, "bare")
	content := noise(100000)
	h := b.regular(content, object.Xattr{Name: "user.a", Value: []byte("x")})
	sum := b.content(h, content)
	file := b.file(b.object(sum, object.KindFile))
	link := b.content(b.symlink("target"), nil)
	bare := h
	bare.Xattrs = nil
	dir := object.DirMeta{UID: h.UID, GID: h.GID, Mode: object.ModeDir | 0o700}
	b.mkdir("dir")
	b.check(os.Chmod(b.file("dir"), 0o700))
	b.check(unix.Mkfifo(b.file("pipe"), 0o644))
	pipe := h
	pipe.Mode, pipe.Xattrs = unix.S_IFIFO|0o644, nil
	for _, c := range []struct {
		what, path string
		xattrs     bool
		want       object.Checksum
	}{
		{"a file", file, true, sum},
		{"a file without its xattrs", file, false, checksum(bare, content)},
		{"a link", b.file(b.object(link, object.KindFile)), true, link},
		{"a directory", b.file("dir"), true, sha256.Sum256(dir.Encode())},
		{"a pipe", b.file("pipe"), true, checksum(pipe, nil)},
	} {
		quickly(t, func() {
			if got, err := FileChecksum(c.path, c.xattrs); err != nil || got != c.want {
				t.Errorf("%s: %s, %v, want %s", c.what, got, err, c.want)
			}
		})
	}
	if _, err := FileChecksum(b.file("absent"), true); !os.IsNotExist(err) {
		t.Errorf("an absent file: %v", err)
	}
}

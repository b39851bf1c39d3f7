package objstore

import (
	"bytes"
	"errors"
	"io"
	"math/rand"
	"os"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"deployfs/objstore/object"
)

// noise is n bytes that do not compress, the same each time.
func noise(n int) []byte {
	data := make([]byte, n)
	rand.New(rand.NewSource(1)).Read(data)
	return data
}

// everyMode runs a test in a repository of each mode.
func everyMode(t *testing.T, test func(t *testing.T, b *builder)) {
	for _, mode := range allModes {
		t.Run(mode, func(t *testing.T) { test(t, build(t, mode)) })
	}
}

// TestContent reads files and links of all sizes back.
func TestContent(t *testing.T) {
	everyMode(t, func(t *testing.T, b *builder) {
		user := []object.Xattr{{Name: "user.a", Value: []byte{0, 1, 255}}, {Name: "user.b", Value: noise(1000)}}
		if b.mode == BareUserOnly {
			user = nil
		}
		large := bytes.Repeat([]byte("0123456789abcdef"), 1<<17)
		for _, c := range []struct {
			name    string
			header  object.Header
			content []byte
		}{
			{"empty file", b.regular(nil), nil},
			{"small file", b.regular([]byte("x")), []byte("x")},
			{"file with xattrs", b.regular([]byte("hello\n"), user...), []byte("hello\n")},
			{"file as long as a first read", b.regular(noise(firstRead)), noise(firstRead)},
			{"file that does not compress", b.regular(noise(300000)), noise(300000)},
			{"large file", b.regular(large), large},
			{"link", b.symlink("hello.txt"), nil},
			{"long link", b.symlink(strings.Repeat("t", 4095)), nil},
		} {
			sum := b.content(c.header, c.content)
			checkContent(t, b.open(), c.name, sum, c.header, c.content)
		}
	})
}

func checkContent(t *testing.T, r *Repo, name string, sum object.Checksum, want object.Header, content []byte) {
	t.Helper()
	got, err := r.Header(sum)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%s: header %+v, %v, want %+v", name, got, err, want)
	}
	got, err = r.Stat(sum)
	if got.Xattrs = want.Xattrs; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%s: stat %+v, %v, want %+v", name, got, err, want)
	}
	for _, trust := range []bool{false, true} {
		c, err := r.Content(sum)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		if trust {
			c.Trust()
		}
		data, err := io.ReadAll(c)
		if err != nil || !bytes.Equal(data, content) {
			t.Errorf("%s: %d bytes, %v, want %d", name, len(data), err, len(content))
		}
		if n, err := c.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Errorf("%s: after the end: %d, %v", name, n, err)
		}
		if err := c.Close(); err != nil {
			t.Errorf("%s: close: %v", name, err)
		}
	}
}

// TestPlain tells which objects hold their content as it is, and hands them over.
func TestPlain(t *testing.T) {
	everyMode(t, func(t *testing.T, b *builder) {
		content := []byte("as it is\n")
		sum := b.content(b.regular(content), content)
		link := b.content(b.symlink("target"), nil)
		r := b.open()
		c, err := r.Content(link)
		if err != nil || c.Plain() != nil {
			t.Fatalf("link: %v, %v", c, err)
		}
		b.check(c.Close())
		c, err = r.Content(sum)
		if err != nil {
			t.Fatal(err)
		}
		if plain := c.Plain() != nil; plain == (b.mode == Archive) {
			t.Fatalf("a plain file: %v", plain)
		}
		if b.mode == Archive {
			b.check(c.Close())
			return
		}
		b.check(c.Verify())
		f := c.Release()
		b.check(c.Close())
		defer f.Close()
		data := make([]byte, 100)
		if n, err := f.ReadAt(data, 3); err != io.EOF || !bytes.Equal(data[:n], content[3:]) {
			t.Errorf("%q, %v", data[:n], err)
		}
	})
}

// TestUserTarget: old bare-user repositories end a link's target without a NUL.
func TestUserTarget(t *testing.T) {
	b := build(t, "bare-user")
	for _, stored := range []string{"target", "target\x00", "target\x00junk"} {
		sum := b.content(b.symlink("target"), nil)
		path := b.object(sum, object.KindFile)
		f, err := os.OpenFile(b.file(path), os.O_WRONLY|os.O_TRUNC, 0)
		b.check(err)
		_, err = f.WriteString(stored)
		b.check(errors.Join(err, f.Close()))
		checkContent(t, b.open(), stored, sum, b.symlink("target"), nil)
	}
}

// TestBareXattrs: an empty xattr is as good as none, and disable-xattrs hides all.
func TestBareXattrs(t *testing.T) {
	b := build(t, "bare")
	content := []byte("x")
	sum := b.content(b.regular(content), content)
	b.setxattr(b.object(sum, object.KindFile), "user.empty", nil)
	if h, err := b.open().Header(sum); err != nil || h.Xattrs != nil {
		t.Errorf("with an empty xattr: %v, %v", h.Xattrs, err)
	}
	if c, err := b.open().Content(sum); err != nil || c.Verify() != nil {
		t.Errorf("with an empty xattr: not verified, %v", err)
	}
	disabled := build(t, "bare", "disable-xattrs=true")
	sum = disabled.content(disabled.regular(content), content)
	disabled.setxattr(disabled.object(sum, object.KindFile), "user.a", []byte("x"))
	if h, err := disabled.open().Header(sum); err != nil || h.Xattrs != nil {
		t.Errorf("disabled: %v, %v", h.Xattrs, err)
	}
}

// TestSpecialBits keeps setuid and sticky bits, and a mode without any.
func TestSpecialBits(t *testing.T) {
	for _, mode := range []string{"bare", "bare-user", "archive"} {
		b := build(t, mode)
		for _, bits := range []uint32{0o6755, 0o1644, 0} {
			h := b.regular([]byte("x"))
			h.Mode = object.ModeRegular | bits
			sum := b.content(h, []byte("x"))
			if mode == "bare" {
				b.check(unix.Chmod(b.file(b.object(sum, object.KindFile)), bits))
			}
			got, err := b.open().Stat(sum)
			if err != nil || got.Mode != h.Mode {
				t.Errorf("%s: mode %#o, %v, want %#o", mode, got.Mode, err, h.Mode)
			}
		}
	}
}

// TestPoolOfInflaters reads many archive objects at once, some to the end and
// some not: one reader's leftovers must not reach another.
func TestPoolOfInflaters(t *testing.T) {
	b := build(t, "archive")
	var sums []object.Checksum
	for i := range 8 {
		content := bytes.Repeat([]byte{byte(i)}, 50000+i)
		sums = append(sums, b.content(b.regular(content), content))
	}
	r := b.open()
	done := make(chan error)
	for worker := range 4 {
		go func() {
			var err error
			for i := range 200 {
				err = errors.Join(err, readSome(r, sums[(worker+i)%len(sums)], i%3 == 0))
			}
			done <- err
		}()
	}
	for range 4 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// readSome reads an object to its end, or leaves it in the middle.
func readSome(r *Repo, sum object.Checksum, leave bool) error {
	c, err := r.Content(sum)
	if err != nil {
		return err
	}
	if leave {
		_, err = io.ReadFull(c, make([]byte, 1000))
	} else {
		err = c.Verify()
	}
	return errors.Join(err, c.Close())
}

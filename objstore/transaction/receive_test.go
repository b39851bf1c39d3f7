package transaction

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"deployfs/objstore"
	"deployfs/objstore/object"
)

// archived makes an archive of some content, and tells its objects and their files.
func archived(t *testing.T) (r *objstore.Repo, files map[string]object.Checksum) {
	t.Helper()
	t.Setenv("OSTREE_SUPPRESS_SYNCFS", "1")
	r = newRepo(t, objstore.Archive, "")
	tx := begin(t, r)
	defer tx.Close()
	noise := make([]byte, 3*small)
	rand.Read(noise)
	files = map[string]object.Checksum{}
	for name, content := range map[string]string{
		"empty": "", "short": "hello\n", "small": strings.Repeat("0123456789", 20000), "noise": string(noise), "large": strings.Repeat("x", 5*small),
	} {
		h := object.Header{Mode: object.ModeRegular | 0o644, Size: uint64(len(content))}
		sum, err := tx.WriteContent(h, strings.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = sum
	}
	sum, err := tx.WriteContent(object.Header{Mode: object.ModeSymlink | 0o777, Target: "to"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	files["link"] = sum
	if err := tx.Commit(context.Background()); err != nil {
		t.Fatal(err)
	}
	return r, files
}

// filezOf is the file of an object.
func filezOf(t *testing.T, r *objstore.Repo, sum object.Checksum) []byte {
	t.Helper()
	data, err := os.ReadFile(fileOf(r, object.Name{Checksum: sum, Kind: object.KindFile}))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestReceive: content is what it was in every mode, however it comes; an archive keeps its file.
func TestReceive(t *testing.T) {
	src, files := archived(t)
	for _, mode := range []objstore.Mode{objstore.Archive, objstore.Bare, objstore.BareUser, objstore.BareUserOnly} {
		dest := newRepo(t, mode, "")
		tx := begin(t, dest)
		size := uint64(0)
		for _, sum := range files {
			done, err := tx.Receive(sum, iotest.HalfReader(bytes.NewReader(filezOf(t, src, sum))), ReceiveOptions{})
			if err != nil {
				t.Fatal(mode, err)
			}
			size += done.Written
		}
		if got := tx.Stats(); got.BytesWritten != size || size != 6+200000+8*small {
			t.Errorf("%s: %d bytes, %+v", mode, size, got)
		}
		if err := tx.Commit(context.Background()); err != nil {
			t.Fatal(err)
		}
		for name, sum := range files {
			if mode == objstore.Archive && !bytes.Equal(filezOf(t, dest, sum), filezOf(t, src, sum)) {
				t.Errorf("%s: the file is another", name)
			}
			c, err := dest.Content(sum)
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(c.Verify(), c.Close()); err != nil {
				t.Errorf("%s: %s: %v", mode, name, err)
			}
		}
	}
}

// endless never ends.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// TestReceiveRefuses: what is not the content that was asked for gets no name.
func TestReceiveRefuses(t *testing.T) {
	src, files := archived(t)
	broken := errors.New("the line is broken")
	file := func(name string) []byte { return filezOf(t, src, files[name]) }
	for _, mode := range []objstore.Mode{objstore.Archive, objstore.Bare} {
		tx := begin(t, newRepo(t, mode, ""))
		for name, c := range map[string]struct {
			as   string
			file io.Reader
			text string
		}{
			"another":          {"short", bytes.NewReader(file("empty")), "Writing content object: Corrupted file object; checksum expected='" + files["short"].String() + "' actual='" + files["empty"].String()},
			"another, large":   {"noise", bytes.NewReader(file("large")), "Writing content object: Corrupted file object; checksum expected='"},
			"another link":     {"link", bytes.NewReader(file("empty")), "Writing content object: Corrupted file object"},
			"nothing":          {"short", bytes.NewReader(nil), "too short for a header"},
			"half":             {"small", bytes.NewReader(file("small")[:100]), "Parsing "},
			"half, large":      {"noise", bytes.NewReader(file("noise")[:2*small]), "Invalid compressed data"},
			"broken":           {"noise", io.MultiReader(bytes.NewReader(file("noise")[:2*small]), iotest.ErrReader(broken)), broken.Error()},
			"broken at once":   {"short", iotest.ErrReader(broken), broken.Error()},
			"zeros":            {"short", endless{}, "File header size is zero"},
			"header too large": {"short", io.MultiReader(strings.NewReader("\x7f\xff\xff\xff\x00\x00\x00\x00"), endless{}), "at most"},
		} {
			_, err := tx.Receive(files[c.as], c.file, ReceiveOptions{})
			if err == nil || !strings.Contains(err.Error(), c.text) {
				t.Errorf("%s: %s: %v, want %s", mode, name, err, c.text)
			}
			if held, err := tx.Has(object.Name{Checksum: files[c.as], Kind: object.KindFile}); held || err != nil {
				t.Errorf("%s: %s: it is there, %v", mode, name, err)
			}
		}
		tx.Close()
	}
}

// TestReceiveMore: what follows the content is not kept.
func TestReceiveMore(t *testing.T) {
	src, files := archived(t)
	for _, mode := range []objstore.Mode{objstore.Archive, objstore.Bare} {
		dest := newRepo(t, mode, "")
		tx := begin(t, dest)
		for name, sum := range files {
			file := filezOf(t, src, sum)
			for _, more := range []io.Reader{strings.NewReader("x"), endless{}} {
				if _, err := tx.Receive(sum, io.MultiReader(bytes.NewReader(file), more), ReceiveOptions{}); err != nil {
					t.Error(mode, name, err)
				}
			}
		}
		if err := tx.Commit(context.Background()); err != nil {
			t.Fatal(err)
		}
		for name, sum := range files {
			if mode == objstore.Archive && !bytes.Equal(filezOf(t, dest, sum), filezOf(t, src, sum)) {
				t.Errorf("%s: the file is another", name)
			}
		}
	}
}

// emptyBlocks are deflated blocks without content, without an end.
type emptyBlocks struct{ bytes.Reader }

func (e *emptyBlocks) Read(p []byte) (int, error) {
	if e.Len() == 0 {
		e.Reset(bytes.Repeat([]byte("\x00\x00\x00\xff\xff"), 1000))
	}
	return e.Reader.Read(p)
}

// TestReceiveBlocks: a file that goes on without content ends soon.
func TestReceiveBlocks(t *testing.T) {
	src, files := archived(t)
	file := filezOf(t, src, files["short"])
	header := file[:8+binary.BigEndian.Uint32(file)]
	for _, mode := range []objstore.Mode{objstore.Archive, objstore.Bare} {
		tx := begin(t, newRepo(t, mode, ""))
		_, err := tx.Receive(files["short"], io.MultiReader(bytes.NewReader(header), new(emptyBlocks)), ReceiveOptions{})
		if err == nil || !strings.Contains(err.Error(), "the file is longer than its content takes") {
			t.Error(mode, err)
		}
		tx.Close()
	}
}

// TestReceiveOptions: what is asked for besides.
func TestReceiveOptions(t *testing.T) {
	src, files := archived(t)
	tx := begin(t, src)
	h := object.Header{Mode: object.ModeRegular | 0o4755}
	special, err := tx.WriteContent(h, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(tx.Commit(context.Background()), tx.Close()); err != nil {
		t.Fatal(err)
	}
	tx = begin(t, newRepo(t, objstore.Archive, ""))
	defer tx.Close()
	_, err = tx.Receive(special, bytes.NewReader(filezOf(t, src, special)), ReceiveOptions{Modest: true})
	if want := "Content object " + special.String() + ": invalid mode 0104755 with bits 04000"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	for _, name := range []string{"short", "noise"} { // not even looked at
		if _, err := tx.Receive(files[name], bytes.NewReader(filezOf(t, src, files["large"])), ReceiveOptions{Unchecked: true}); err != nil {
			t.Error(err)
		}
	}
}

// TestReceiveMetadata: metadata that is not what its name says, or not well-formed, is refused.
func TestReceiveMetadata(t *testing.T) {
	t.Setenv("OSTREE_SUPPRESS_SYNCFS", "1")
	tx := begin(t, newRepo(t, objstore.Archive, ""))
	defer tx.Close()
	good := object.DirMeta{Mode: object.ModeDir | 0o755}.Encode()
	name := object.Name{Checksum: objstore.HeaderChecksum(object.Header{Mode: object.ModeDir | 0o755}), Kind: object.KindDirMeta}
	if err := tx.ReceiveMetadata(name, good[1:]); err == nil || !strings.HasPrefix(err.Error(), "Corrupted dirmeta object; checksum expected='"+name.Checksum.String()) {
		t.Error(err)
	}
	if err := errors.Join(tx.ReceiveMetadata(name, good), tx.ReceiveMetadata(name, good)); err != nil {
		t.Error(err)
	}
	if got := tx.Stats(); got.MetadataWritten != 1 {
		t.Errorf("%+v", got)
	}
}

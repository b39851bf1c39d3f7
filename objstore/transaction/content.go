package transaction

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"sync"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/object"
)

// small is the most content, in bytes, that is held in memory: it is hashed first,
// and written only when the repository lacks it.
const small = 256 << 10

// blocks are what content is copied through.
var blocks = sync.Pool{New: func() any { return new([small]byte) }}

// ErrChanged says that there was more or less content than was announced.
var ErrChanged = errors.New("content is not as long as it was said to be")

// WriteContent writes a regular file or a symbolic link, which has no content, and
// returns its checksum: that of the bytes that were written. Content must have
// h.Size bytes. An *os.File is read from where it is, twice if it is large and the
// repository lacks it.
func (t *Transaction) WriteContent(h object.Header, content io.Reader) (object.Checksum, error) {
	t.count.content.Add(1)
	sum, err := t.writeContent(h, content)
	if err == nil {
		err = t.noteSize(sum, &h)
	}
	return sum, err
}

func (t *Transaction) writeContent(h object.Header, content io.Reader) (object.Checksum, error) {
	if err := t.admits(&h); err != nil {
		return object.Checksum{}, err
	}
	switch file, isFile := content.(*os.File); {
	case h.IsSymlink():
		return t.writeSymlink(h)
	case h.Size <= small:
		return t.writeSmall(h, content)
	case isFile:
		return t.writeFile(h, file)
	}
	return t.writeStream(h, content)
}

// admits fails where the repository can't hold what h says.
func (t *Transaction) admits(h *object.Header) error {
	if err := h.Check(); err != nil {
		return err
	}
	if !utf8.ValidString(h.Target) { // GVariant has no such text, and ostree no such object
		return errors.New("Invalid UTF-8 in symlink target")
	}
	if t.repo.Mode() == objstore.BareUserOnly && !h.IsSymlink() {
		if bad := h.Mode &^ (object.ModeType | 0o775); bad != 0 {
			return fmt.Errorf("Content object %s: invalid mode 0%04o with bits 0%04o", describe(h), h.Mode, bad)
		}
	}
	return nil
}

// hasher begins the checksum of an object.
func hasher(h *object.Header) hash.Hash {
	sum := sha256.New()
	sum.Write(h.Hashed())
	return sum
}

func sumOf(hash hash.Hash) object.Name {
	return object.Name{Checksum: object.Checksum(hash.Sum(nil)), Kind: object.KindFile}
}

// writeSmall writes content that fits into memory.
func (t *Transaction) writeSmall(h object.Header, content io.Reader) (object.Checksum, error) {
	block := blocks.Get().(*[small]byte)
	defer blocks.Put(block)
	data := block[:h.Size]
	if err := readExactly(content, data); err != nil {
		return object.Checksum{}, err
	}
	sum := hasher(&h)
	sum.Write(data)
	name := sumOf(sum)
	held, err := t.hasContent(name, &h)
	if held || err != nil {
		return name.Checksum, err
	}
	err = t.writeNew(&h, func(to io.Writer) (object.Name, error) {
		_, err := to.Write(data)
		return name, err
	})
	return name.Checksum, err
}

// readExactly fills data, after which content must end.
func readExactly(content io.Reader, data []byte) error {
	if content == nil {
		content = bytes.NewReader(nil)
	}
	if _, err := io.ReadFull(content, data); err == io.EOF || err == io.ErrUnexpectedEOF {
		return ErrChanged
	} else if err != nil {
		return err
	}
	return atEnd(content)
}

// atEnd fails unless content ends here.
func atEnd(content io.Reader) error {
	var more [1]byte
	switch n, err := io.ReadFull(content, more[:]); {
	case n > 0:
		return ErrChanged
	case err != io.EOF:
		return err
	}
	return nil
}

// writeFile writes a large file. It is hashed first: most are there already.
func (t *Transaction) writeFile(h object.Header, file *os.File) (object.Checksum, error) {
	begin, err := file.Seek(0, io.SeekCurrent)
	if err != nil {
		return t.writeStream(h, file)
	}
	name, err := copyHashed(&h, io.Discard, file)
	if err != nil {
		return name.Checksum, err
	}
	held, err := t.hasContent(name, &h)
	if held || err != nil {
		return name.Checksum, err
	}
	if _, err := file.Seek(begin, io.SeekStart); err != nil {
		return name.Checksum, err
	}
	return t.writeStream(h, file)
}

// writeStream writes content that is read once, while it is hashed.
func (t *Transaction) writeStream(h object.Header, content io.Reader) (sum object.Checksum, err error) {
	err = t.writeNew(&h, func(to io.Writer) (object.Name, error) {
		name, err := copyHashed(&h, to, content)
		sum = name.Checksum
		if err == nil {
			_, err = t.hasContent(name, &h) // what is torn is noted
		}
		return name, err
	})
	return sum, err
}

// copyHashed copies content and tells what object it is.
func copyHashed(h *object.Header, to io.Writer, content io.Reader) (object.Name, error) {
	block := blocks.Get().(*[small]byte)
	defer blocks.Put(block)
	sum := hasher(h)
	for left := h.Size; left > 0; {
		n, err := content.Read(block[:min(left, small)])
		sum.Write(block[:n])
		if _, err := to.Write(block[:n]); err != nil {
			return object.Name{}, err
		}
		if left -= uint64(n); err == io.EOF && left > 0 {
			return object.Name{}, ErrChanged
		}
		if err != nil && err != io.EOF {
			return object.Name{}, err
		}
	}
	return sumOf(sum), atEnd(content)
}

// writeNew writes an object of a regular file, whose content fill writes and names.
func (t *Transaction) writeNew(h *object.Header, fill func(io.Writer) (object.Name, error)) error {
	if err := t.space.take(h.Size); err != nil {
		return err
	}
	f, err := t.newFile()
	if err != nil {
		return err
	}
	defer f.close()
	var name object.Name
	switch {
	case t.repo.Mode() == objstore.Archive:
		name, err = t.fillArchive(f, h, fill)
	case t.payloads.wants(t, h):
		name, err = t.fillShared(f, fill)
	default:
		name, err = fill(f)
	}
	if err == nil && t.repo.Mode() != objstore.Archive {
		err = t.dress(f, h)
	}
	placed := false
	if err == nil {
		placed, err = t.place(f, name)
	}
	if placed {
		t.wrote(h.Size)
	} else {
		t.space.give(h.Size)
	}
	if err != nil {
		err = fmt.Errorf("writing content object: %w", err)
	}
	return err
}

func (t *Transaction) wrote(size uint64) {
	t.count.contentWritten.Add(1)
	t.count.bytes.Add(size)
}

// describe names the object that a header without content is of, or the empty text.
func describe(h *object.Header) string {
	if h.Size > 0 {
		return "of mode " + object.ModeText(h.Mode)
	}
	return sumOf(hasher(h)).Checksum.String()
}

// epoch is the time that bare objects have.
var epoch = []unix.Timespec{{Nsec: unix.UTIME_OMIT}, {}}

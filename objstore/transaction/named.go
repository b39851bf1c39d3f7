package transaction

import (
	"fmt"
	"hash"
	"io"

	"deployfs/objstore"
	"deployfs/objstore/object"
)

// WriteNamed writes content that is known by its checksum and that the repository lacks:
// fill writes h.Size bytes, for a symbolic link it is not called. Unless these are the
// object sum, nothing of them stays; the error is an [object.CorruptError], or
// [ErrChanged].
func (t *Transaction) WriteNamed(sum object.Checksum, h object.Header, fill func(to io.Writer) error) error {
	t.count.content.Add(1)
	err := t.admits(&h)
	if err == nil {
		err = t.writeNamed(object.Name{Checksum: sum, Kind: object.KindFile}, h, fill)
	}
	if err == nil {
		err = t.noteSize(sum, &h)
	}
	return err
}

func (t *Transaction) writeNamed(name object.Name, h object.Header, fill func(to io.Writer) error) error {
	if h.IsSymlink() {
		if err := objstore.CheckEmpty(name.Checksum, h); err != nil {
			return err
		}
		_, err := t.writeSymlink(h)
		return err
	}
	return t.writeNew(&h, func(to io.Writer) (object.Name, error) {
		w := &namer{to: to, sum: hasher(&h), left: h.Size}
		if err := fill(w); err != nil {
			return name, err
		}
		if w.left > 0 {
			return name, fmt.Errorf("%w: %d bytes are missing", ErrChanged, w.left)
		}
		if found := sumOf(w.sum); found != name {
			return name, object.Mismatch(name, found.Checksum)
		}
		_, err := t.hasContent(name, &h) // what is torn is noted
		return name, err
	})
}

// namer hashes content on its way, of which there are so many bytes left.
type namer struct {
	to   io.Writer
	sum  hash.Hash
	left uint64
}

func (w *namer) Write(p []byte) (int, error) {
	if uint64(len(p)) > w.left {
		return 0, fmt.Errorf("%w: there is more", ErrChanged)
	}
	w.left -= uint64(len(p))
	w.sum.Write(p)
	return w.to.Write(p)
}

package objstore

import (
	"bytes"
	"errors"
	"io"
	"os"
	"sync"

	"github.com/klauspost/compress/flate"

	"deployfs/objstore/object"
)

// firstRead is how much of an archive object is read at once: nearly every
// header, and most small contents.
const firstRead = 4096

// maxInflation is more than deflate can shrink anything by: 258 bytes to 2 bits.
const maxInflation = 1032

// openArchive opens a .filez object: header, then deflated content.
func openArchive(objects *os.File, path string) (*Content, error) {
	f, st, err := openRegular(objects, path)
	if err != nil {
		return nil, err
	}
	c := &Content{}
	if err := c.readFilez(f, st.Size); err != nil {
		f.Close()
		return nil, err
	}
	return c, nil
}

func (c *Content) readFilez(f *os.File, size int64) error {
	head := make([]byte, min(size, firstRead))
	if _, err := f.ReadAt(head, 0); err != nil && err != io.EOF {
		return err
	}
	if len(head) < object.HeaderPrefix {
		return damaged("file of %d bytes is too short for a header", size)
	}
	n, err := object.FilezHeaderSize([object.HeaderPrefix]byte(head), size)
	if err != nil {
		return damaged("%w", err)
	}
	end := object.HeaderPrefix + n
	if end > len(head) {
		head = make([]byte, end)
		if _, err := f.ReadAt(head, 0); err != nil {
			return err
		}
	}
	if c.Header, err = object.DecodeFilezHeader(head[object.HeaderPrefix:end]); err != nil {
		return damaged("%w", err)
	}
	if c.Header.Size > uint64(size)*maxInflation {
		return damaged("%d bytes of content can't be deflated to a file of %d", c.Header.Size, size)
	}
	in := &inflater{deflated: bytes.NewReader(head[end:])} // it is inflated fastest from there
	if rest := size - int64(len(head)); rest > 0 {
		in.deflated = io.MultiReader(in.deflated, io.NewSectionReader(f, int64(len(head)), rest))
	}
	c.src = in
	if c.Header.IsSymlink() {
		c.src = bytes.NewReader(nil)
	}
	c.close = func() error { return errors.Join(in.Close(), f.Close()) }
	return nil
}

// inflaters holds readers between uses: one is some 40 KiB.
var inflaters = sync.Pool{New: func() any { return flate.NewReader(nil) }}

// inflater reads raw deflate. It takes an inflating reader when it is first
// read, so that an object opened for its header alone costs none.
type inflater struct {
	deflated io.Reader
	reader   io.ReadCloser
}

func (in *inflater) Read(p []byte) (int, error) {
	if in.reader == nil {
		in.reader = inflaters.Get().(io.ReadCloser)
		if err := in.reader.(flate.Resetter).Reset(in.deflated, nil); err != nil {
			return 0, err
		}
	}
	n, err := in.reader.Read(p)
	var corrupt flate.CorruptInputError
	if errors.As(err, &corrupt) || err == io.ErrUnexpectedEOF {
		err = damaged("Invalid compressed data: %w", err)
	}
	return n, err
}

func (in *inflater) Close() error {
	if in.reader != nil {
		inflaters.Put(in.reader)
		in.reader = nil
	}
	return nil
}

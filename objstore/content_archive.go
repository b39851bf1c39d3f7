package objstore

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"math"
	"os"
	"sync"

	"github.com/klauspost/compress/flate"

	"deployfs/objstore/object"
)

// firstRead is how much of an archive object is read at once: nearly every
// header, and most small contents.
const firstRead = 4096

// deflateSlack is what deflated content may have more than its content, in bytes, which it makes
// an eighth larger at the worst.
const deflateSlack = 64 << 10

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
	if err := c.readArchived(io.NewSectionReader(f, 0, size), size); err != nil {
		return err
	}
	inflated := c.close
	c.close = func() error { return errors.Join(inflated(), f.Close()) }
	return nil
}

// ArchivedContent is a content object whose .filez file is read from somewhere else: from
// its begin to where the content ends. Size is the file's, in bytes, or negative when it is
// not known. Errors of the file itself are wrapped. No more is read than the content can take
// that the header tells of.
func ArchivedContent(sum object.Checksum, file io.Reader, size int64) (*Content, error) {
	c := &Content{name: object.Name{Checksum: sum, Kind: object.KindFile}}
	err := c.readArchived(file, size)
	var damage *damageError
	switch {
	case err == nil:
		c.deflated.rest.limit = int64(min(c.Header.Size, 1<<60))/8*9 + deflateSlack
		return c, nil
	case errors.As(err, &damage):
		return nil, object.Corrupt(c.name, damage.err)
	}
	return nil, readError(c.name, err)
}

// readArchived reads the header of a .filez file of size bytes, or of nobody knows how many.
func (c *Content) readArchived(file io.Reader, size int64) error {
	head := make([]byte, firstRead)
	if size >= 0 {
		head = head[:min(size, firstRead)]
	}
	n, err := io.ReadFull(file, head)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		head, size, err = head[:n], int64(n), nil
	}
	if err != nil {
		return err
	}
	end, err := headerEnd(head, size)
	if err != nil {
		return err
	}
	if end > len(head) {
		head = append(head, make([]byte, end-len(head))...)
		if _, err := io.ReadFull(file, head[n:]); err != nil {
			return cutShort(err)
		}
	}
	if c.Header, err = object.DecodeFilezHeader(head[object.HeaderPrefix:end]); err != nil {
		return damaged("%w", err)
	}
	if size >= 0 && c.Header.Size > uint64(size)*maxInflation {
		return damaged("%d bytes of content can't be deflated to a file of %d", c.Header.Size, size)
	}
	c.head = int64(end)
	c.inflate(head[end:], file, int64(len(head)) == size)
	return nil
}

// headerEnd is where the header ends of a file of which the first bytes are known.
func headerEnd(head []byte, size int64) (int, error) {
	if len(head) < object.HeaderPrefix {
		return 0, damaged("file of %d bytes is too short for a header", len(head))
	}
	if size < 0 {
		size = math.MaxInt64
	}
	n, err := object.FilezHeaderSize([object.HeaderPrefix]byte(head), size)
	if err != nil {
		return 0, damaged("%w", err)
	}
	return object.HeaderPrefix + n, nil
}

// cutShort tells a file that has ended too early from one that can't be read.
func cutShort(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return damaged("file header is cut short")
	}
	return err
}

// inflate has the content begin with what was read of the file already, which may be all.
func (c *Content) inflate(begin []byte, file io.Reader, all bool) {
	in := &inflater{begin: bytes.NewReader(begin)}
	if !all {
		in.rest = rest{file: file, limit: math.MaxInt64}
	}
	c.src, c.deflated = in, in
	if c.Header.IsSymlink() {
		c.src = bytes.NewReader(nil)
	}
	c.close = in.Close
}

// inflaters holds readers between uses: one is some 40 KiB.
var inflaters = sync.Pool{New: func() any { return flate.NewReader(nil) }}

// Stored is how many bytes of a .filez file are the object, once its content was read to the
// end; of a symbolic link, at once. What follows is no part of it.
func (c *Content) Stored() int64 {
	if c.Header.IsSymlink() {
		return c.head
	}
	return c.head + c.deflated.taken()
}

// inflater reads raw deflate. It takes an inflating reader when it is first
// read, so that an object opened for its header alone costs none.
type inflater struct {
	begin  *bytes.Reader // it is inflated fastest from there
	rest   rest
	buffer *bufio.Reader // of both; nil where there is no rest
	reader io.ReadCloser
}

// rest is what a file holds behind its begin.
type rest struct {
	file     io.Reader // nil for nothing
	n, limit int64     // bytes that were read, and that may be
}

func (r *rest) Read(p []byte) (int, error) {
	n, err := r.file.Read(p)
	if r.n += int64(n); r.n > r.limit {
		return 0, damaged("the file is longer than its content takes")
	}
	return n, err
}

// source is where an inflating reader takes no byte too many from.
func (in *inflater) source() io.Reader {
	if in.rest.file == nil {
		return in.begin
	}
	in.buffer = bufio.NewReader(io.MultiReader(in.begin, &in.rest))
	return in.buffer
}

// taken is how many bytes were inflated.
func (in *inflater) taken() int64 {
	n := in.begin.Size() - int64(in.begin.Len()) + in.rest.n
	if in.buffer != nil {
		n -= int64(in.buffer.Buffered())
	}
	return n
}

func (in *inflater) Read(p []byte) (int, error) {
	if in.reader == nil {
		in.reader = inflaters.Get().(io.ReadCloser)
		if err := in.reader.(flate.Resetter).Reset(in.source(), nil); err != nil {
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

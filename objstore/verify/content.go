package verify

import (
	"context"
	"io"
)

// content checks one content object, unless ctx ends.
func (c *checker) content(ctx context.Context, e entry, buf []byte) {
	if ctx.Err() != nil {
		return
	}
	content, err := c.src.Content(e.name.Checksum)
	if err == nil {
		err = c.read(ctx, content, buf)
		content.Close() // it was only read
	}
	if ctx.Err() == nil {
		c.done(e, 0, err)
	}
}

// read reads content to its end, where it is checked.
func (c *checker) read(ctx context.Context, content io.Reader, buf []byte) error {
	for ctx.Err() == nil {
		n, err := content.Read(buf)
		c.count.Bytes.Add(int64(n))
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

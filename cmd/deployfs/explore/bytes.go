package explore

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"

	"deployfs/objstore/object"
)

const (
	wholeSize   = 8 << 20   // a file up to this size is read at once, and checked
	windowSize  = 8 << 20   // of a larger one that is packed, this much is kept
	packedChunk = 256 << 10 // it is unpacked in parts of this size
)

// content is a file's bytes, to be read anywhere.
type content struct {
	mu      sync.Mutex
	size    int64
	checked bool // all of it is known to be what its name says
	at      io.ReaderAt
	packed  *packed // instead of at
	from    io.Closer
}

// opens is what opens files.
type opens interface {
	Open(object.Checksum) (Content, error)
}

// openContent opens a file. A small one is checked as a whole; a large one that lies in the repository
// as it is costs nothing, and one that is packed is unpacked as far as it is looked at.
func openContent(repo opens, sum object.Checksum) (*content, error) {
	c, err := repo.Open(sum)
	if err != nil {
		return nil, err
	}
	switch {
	case c.Size() <= wholeSize:
		defer c.Close()
		data, err := io.ReadAll(c)
		if err != nil {
			return nil, err
		}
		return &content{size: int64(len(data)), checked: true, at: bytes.NewReader(data)}, nil
	case c.Plain() != nil:
		return &content{size: c.Size(), at: c.Plain(), from: c}, nil
	}
	p := &packed{open: func() (Content, error) { return repo.Open(sum) }, from: c}
	return &content{size: c.Size(), packed: p, from: p}, nil
}

// read is up to n bytes from off on; fewer where the file ends.
func (c *content) read(ctx context.Context, off int64, n int) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	off = max(0, off)
	n = int(min(int64(n), c.size-off))
	if n <= 0 {
		return nil, nil
	}
	if c.packed != nil {
		return c.packed.read(ctx, off, n)
	}
	buf := make([]byte, n)
	got, err := c.at.ReadAt(buf, off)
	if errors.Is(err, io.EOF) {
		err = nil
		if got < n {
			err = io.ErrUnexpectedEOF
		}
	}
	return buf[:got], err
}

// close lets go of the file, once nobody reads it.
func (c *content) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.from != nil {
		c.from.Close()
	}
}

// packed reads what can only be read from the beginning on. It keeps a window of what it has read,
// and begins again for what lies before that.
type packed struct {
	open   func() (Content, error)
	from   Content
	window []byte
	start  int64        // where the window begins
	done   atomic.Int64 // where it ends, for who wants to know meanwhile
}

func (p *packed) Close() error {
	if p.from == nil {
		return nil
	}
	return p.from.Close()
}

func (p *packed) read(ctx context.Context, off int64, n int) ([]byte, error) {
	if off < p.start || p.from == nil {
		if err := p.again(); err != nil {
			return nil, err
		}
	}
	for p.start+int64(len(p.window)) < off+int64(n) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := p.next(); err != nil {
			return nil, err
		}
	}
	return bytes.Clone(p.window[off-p.start:][:n]), nil
}

// next unpacks one more part.
func (p *packed) next() error {
	if len(p.window)+packedChunk > windowSize {
		half := len(p.window) / 2
		p.start += int64(half)
		p.window = append(p.window[:0], p.window[half:]...)
	}
	end := len(p.window)
	p.window = append(p.window, make([]byte, packedChunk)...)
	n, err := io.ReadFull(p.from, p.window[end:])
	p.window = p.window[:end+n]
	p.done.Store(p.start + int64(len(p.window)))
	if n > 0 && (err == io.ErrUnexpectedEOF || err == io.EOF) {
		return nil
	}
	return err
}

func (p *packed) again() error {
	p.Close()
	c, err := p.open()
	if err != nil {
		p.from = nil
		return err
	}
	p.from, p.start, p.window = c, 0, p.window[:0]
	p.done.Store(0)
	return nil
}

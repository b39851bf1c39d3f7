package xz

import (
	"context"
	"encoding/binary"
	"io"
)

const (
	maxChunk  = 2 << 20  // bytes that a chunk is made of
	maxPacked = 64 << 10 // bytes of it, compressed
	slack     = 64       // bytes that one more symbol may take
	maxRaw    = 64 << 10 // bytes of a chunk that is not compressed
	renew     = 1000     // symbols after which prices are computed again
)

// What the first byte of a chunk says.
const (
	chunkEnd      = 0
	chunkRaw      = 1 // 2 when what came before is still known
	chunkPacked   = 0x80
	resetState    = 1 << 5
	resetModel    = 2 << 5 // and the properties follow
	resetAll      = 3 << 5
	propertiesLZM = (2*5+0)*9 + lc // bits of the place, and of the byte before
)

// chunker writes a stretch of data as LZMA2 chunks.
type chunker struct {
	encoder
	w       io.Writer
	parser  *parser
	planned []symbol // the last one first
	begin   int      // of the chunk
	written int      // symbols, since prices were computed
	reset   byte     // what the next packed chunk has to reset
	known   bool     // a chunk was written, so that what came before is known
}

func newChunker(w io.Writer, data []byte, window int) *chunker {
	c := &chunker{encoder: encoder{data: data}, w: w, reset: resetAll, written: renew}
	c.parser = newParser(data, window, &c.model)
	c.model.reset()
	c.coder.reset()
	return c
}

// write writes all.
func (c *chunker) write(ctx context.Context) error {
	defer c.parser.finder.close()
	for c.at < len(c.data) {
		if len(c.planned) == 0 {
			c.plan()
		}
		last := len(c.planned) - 1
		c.encoder.write(c.planned[last])
		c.planned = c.planned[:last]
		c.written++
		if c.at-c.begin > maxChunk-maxMatch || c.coder.size() > maxPacked-slack || c.at == len(c.data) {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := c.end(); err != nil {
				return err
			}
		}
	}
	return nil
}

// plan finds the next symbols.
func (c *chunker) plan() {
	if c.written >= renew {
		c.parser.prices.refresh(&c.model)
		c.written = 0
	}
	c.planned = c.parser.parse(c.past)
}

// end writes a chunk, and begins the next one.
func (c *chunker) end() error {
	c.coder.finish()
	size := c.at - c.begin
	var err error
	if len(c.coder.out) < size {
		err = c.packed(size)
	} else {
		err = c.raw()
	}
	c.begin = c.at
	c.coder.reset()
	return err
}

// packed writes a compressed chunk.
func (c *chunker) packed(size int) error {
	n := uint32(size - 1)
	header := []byte{chunkPacked | c.reset | byte(n>>16), byte(n >> 8), byte(n)}
	header = binary.BigEndian.AppendUint16(header, uint16(len(c.coder.out)-1))
	if c.reset >= resetModel {
		header = append(header, propertiesLZM)
	}
	c.reset, c.known = 0, true
	if _, err := c.w.Write(header); err != nil {
		return err
	}
	_, err := c.w.Write(c.coder.out)
	return err
}

// raw writes as they are the bytes of a chunk that compression does not make smaller, and those
// that are parsed already: what was learned counts no more.
func (c *chunker) raw() error {
	c.at = c.parser.finder.at
	for data := c.data[c.begin:c.at]; len(data) > 0; {
		block := data[:min(len(data), maxRaw)]
		data = data[len(block):]
		kind := byte(chunkRaw)
		if c.known {
			kind++
		}
		c.known = true
		if _, err := c.w.Write(binary.BigEndian.AppendUint16([]byte{kind}, uint16(len(block)-1))); err != nil {
			return err
		}
		if _, err := c.w.Write(block); err != nil {
			return err
		}
	}
	if c.reset == resetAll {
		c.reset = resetModel
	} else {
		c.reset = max(c.reset, resetState)
	}
	c.planned, c.past = nil, history{}
	c.model.reset()
	c.written = renew
	return nil
}

package xz

import (
	"bufio"
	"context"
	"encoding/binary"
	"hash/crc32"
	"hash/crc64"
	"io"
)

const (
	maxWindow = 16 << 20 // twice of it makes no difference to deltas
	minWindow = 1 << 12
	// maxStretch is how many bytes are compressed together: places are 32-bit numbers.
	maxStretch = 1 << 30
)

const (
	checkCRC64  = 4
	filterLZMA2 = 0x21
)

var (
	streamMagic = []byte{0xfd, '7', 'z', 'X', 'Z', 0}
	footerMagic = []byte("YZ")
	crc64Table  = crc64.MakeTable(crc64.ECMA)
)

// Compress writes data as one stream. It takes memory for 8 bytes for each byte of data, at most
// 128 MiB, and 20 MiB.
func Compress(ctx context.Context, w io.Writer, data []byte) error {
	out := &counter{w: bufio.NewWriterSize(w, 64<<10)}
	flags := []byte{0, checkCRC64}
	out.put(streamMagic, flags, sum32(flags))
	window, code := windowSize(len(data))
	block := padded([]byte{0, 0, filterLZMA2, 1, code}, 4)
	block[0] = byte(len(block) / 4) // with its sum
	out.put(block, sum32(block))
	begin := out.n - int64(len(block)) - 4
	for rest := data; len(rest) > 0 && out.err == nil; {
		stretch := rest[:min(len(rest), maxStretch)]
		rest = rest[len(stretch):]
		if err := newChunker(out, stretch, window).write(ctx); err != nil {
			return err
		}
	}
	out.put([]byte{chunkEnd})
	unpadded := out.n - begin + 8
	out.put(make([]byte, -(out.n-begin)&3), binary.LittleEndian.AppendUint64(nil, crc64.Checksum(data, crc64Table)))
	index := []byte{0, 1}
	index = binary.AppendUvarint(index, uint64(unpadded))
	index = padded(binary.AppendUvarint(index, uint64(len(data))), 4)
	out.put(index, sum32(index))
	footer := append(binary.LittleEndian.AppendUint32(nil, uint32(len(index)+4)/4-1), flags...)
	out.put(sum32(footer), footer, footerMagic)
	if out.err != nil {
		return out.err
	}
	return out.w.Flush()
}

// windowSize is how far back matches may reach in so many bytes, and how a block's header says
// that: the smallest size that has all of it, of 2 or 3 times a power of two.
func windowSize(size int) (window int, code byte) {
	window = min(max(size, minWindow), maxWindow)
	for ; ; code++ {
		if n := int(2|code&1) << (code/2 + 11); n >= window {
			return n, code
		}
	}
}

// padded adds zeros up to a multiple of n.
func padded(data []byte, n int) []byte { return append(data, make([]byte, -len(data)&(n-1))...) }

func sum32(data []byte) []byte {
	return binary.LittleEndian.AppendUint32(nil, crc32.ChecksumIEEE(data))
}

// counter counts what it writes, and keeps the first error.
type counter struct {
	w   *bufio.Writer
	n   int64
	err error
}

func (c *counter) Write(data []byte) (int, error) {
	if c.err == nil {
		_, c.err = c.w.Write(data)
		c.n += int64(len(data))
	}
	return len(data), c.err
}

func (c *counter) put(pieces ...[]byte) {
	for _, data := range pieces {
		c.Write(data)
	}
}

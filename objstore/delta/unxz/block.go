package unxz

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io"
	"slices"

	"github.com/ulikunitz/xz/lzma"
)

// block is a block that is being read.
type block struct {
	begin   int64 // where in the file
	content io.Reader
	sum     hash.Hash // nil for none
	size    uint64    // of what was read
}

func (b *block) read(p []byte) (int, error) {
	n, err := b.content.Read(p)
	b.size += uint64(n)
	if b.sum != nil {
		b.sum.Write(p[:n])
	}
	return n, err
}

const (
	lzma2         = 0x21
	headerUnit    = 4    // bytes; what a block's header says its size in
	filterCount   = 0x03 // bits of a header's flags: less one
	reservedFlags = 0x3c
	hasPacked     = 0x40 // the header says the block's size
	hasContent    = 0x80 // the header says the size of what it holds
)

// blockHeader reads the header of a block, whose first byte is size: how many bytes
// of memory it takes to read it. The sizes that a header may say are not needed.
func (r *Reader) blockHeader(size int) (dictionary int64, err error) {
	header := make([]byte, (size+1)*headerUnit)
	header[0] = byte(size)
	if _, err := io.ReadFull(r.data, header[1:]); err != nil {
		return 0, corrupt("cut")
	}
	body, sum := header[:len(header)-4], header[len(header)-4:]
	if crc32.ChecksumIEEE(body) != binary.LittleEndian.Uint32(sum) {
		return 0, corrupt("block header")
	}
	flags, body := body[1], body[2:]
	for _, flag := range []byte{hasPacked, hasContent} {
		if flags&flag == 0 {
			continue
		}
		if _, body, err = number(body); err != nil {
			return 0, err
		}
	}
	if flags&(filterCount|reservedFlags) != 0 || len(body) < 3 || body[0] != lzma2 || body[1] != 1 {
		return 0, corrupt("filters other than LZMA2")
	}
	if slices.ContainsFunc(body[3:], func(c byte) bool { return c != 0 }) {
		return 0, corrupt("block header")
	}
	if dictionary, err = lzma.DecodeDictCap(body[2]); err != nil {
		return 0, corrupt("block header")
	}
	return dictionary, nil
}

// number reads a number of up to nine bytes, of seven bits each.
func number(data []byte) (n uint64, rest []byte, err error) {
	n, size := binary.Uvarint(data)
	if size <= 0 || size > 9 || size > 1 && data[size-1] == 0 {
		return 0, nil, corrupt("number")
	}
	return n, data[size:], nil
}

// check is the kind of checksum that blocks have.
type check struct {
	size  int
	begin func() hash.Hash // nil for none that is known
	flip  bool             // it is stored in little endian
}

var checks = map[byte]check{
	0:  {0, func() hash.Hash { return nil }, false},
	1:  {4, func() hash.Hash { return crc32.NewIEEE() }, true},
	4:  {8, func() hash.Hash { return crc64.New(crc64Table) }, true},
	10: {sha256.Size, sha256.New, false},
}

var crc64Table = crc64.MakeTable(crc64.ECMA)

func checkOf(kind byte) (check, error) {
	c, ok := checks[kind]
	if !ok {
		return c, corrupt("unknown kind of checksum")
	}
	return c, nil
}

func (c check) end(sum hash.Hash) []byte {
	data := sum.Sum(nil)
	if c.flip {
		slices.Reverse(data)
	}
	return data
}

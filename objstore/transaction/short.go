package transaction

import "encoding/binary"

// shortest is the content, in bytes, up to which zlib writes one block with the fixed
// codes of RFC 1951, or one without compression.
const shortest = 16

// shortLevel is the compression level from which zlib searches content of that length
// in full.
const shortLevel = 6

// deflateShort compresses short content to the bytes that zlib makes of it. Its size
// stands in commits, and a deflater would be a large tool for it.
func deflateShort(data []byte) []byte {
	b := bitWriter{}
	b.add(1, 1) // the last block
	b.add(1, 2) // fixed codes
	for i := 0; i < len(data); {
		length, distance := bestMatch(data, i)
		if next, _ := bestMatch(data, i+1); length == 0 || next > length {
			b.literal(data[i])
			i++
			continue
		}
		b.match(length, distance)
		i += length
	}
	b.code(0, 7)
	if packed := b.flush(); len(packed) < len(data)+4 {
		return packed
	}
	return storeShort(data)
}

// storeShort is a last block without compression.
func storeShort(data []byte) []byte {
	block := []byte{1}
	block = binary.LittleEndian.AppendUint16(block, uint16(len(data)))
	block = binary.LittleEndian.AppendUint16(block, ^uint16(len(data)))
	return append(block, data...)
}

// minMatch is the length in bytes from which a repetition is worth a code.
const minMatch = 3

// bestMatch finds the longest repetition at data[i:], the nearest of several; length 0
// is none. Like zlib it never looks at the first byte.
func bestMatch(data []byte, i int) (length, distance int) {
	for from := i - 1; from > 0; from-- {
		n := 0
		for i+n < len(data) && data[from+n] == data[i+n] {
			n++
		}
		if n >= minMatch && n > length {
			length, distance = n, i-from
		}
	}
	return length, distance
}

// bitWriter is a sequence of bits, the first of a byte its lowest one.
type bitWriter struct {
	bytes []byte
	rest  uint64
	n     int
}

func (b *bitWriter) add(value uint64, n int) {
	b.rest |= value << b.n
	for b.n += n; b.n >= 8; b.n -= 8 {
		b.bytes = append(b.bytes, byte(b.rest))
		b.rest >>= 8
	}
}

// code adds a Huffman code, whose highest bit comes first.
func (b *bitWriter) code(value uint64, n int) {
	for n--; n >= 0; n-- {
		b.add(value>>n&1, 1)
	}
}

func (b *bitWriter) literal(c byte) {
	if c < 144 {
		b.code(0x30+uint64(c), 8)
	} else {
		b.code(0x190+uint64(c)-144, 9)
	}
}

// match adds a repetition of at most [shortest] bytes.
func (b *bitWriter) match(length, distance int) {
	if length <= 10 {
		b.code(uint64(length)-2, 7)
	} else {
		b.code(uint64(length-11)/2+9, 7)
		b.add(uint64(length-11)%2, 1)
	}
	switch d := uint64(distance - 1); {
	case d < 4:
		b.code(d, 5)
	case d < 8:
		b.code(2+d/2, 5)
		b.add(d%2, 1)
	default:
		b.code(4+d/4, 5)
		b.add(d%4, 2)
	}
}

func (b *bitWriter) flush() []byte {
	if b.n > 0 {
		b.bytes = append(b.bytes, byte(b.rest))
	}
	return b.bytes
}

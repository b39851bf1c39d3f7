package mutate

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"strings"
)

// maxGrowth bounds what is inserted at once, in bytes.
const maxGrowth = 3000

// tokens are what a reader of names, refs or settings may stumble over.
var tokens = []string{
	"", "\x00", ".", "..", "/", "../", "/../", "a/b", "../../../../../../etc/passwd", "\n", "\r\n", "\x1b[31m", "\xff", "\xc0\xaf",
	"%s%n%d", "{", "}", "'", "a\x00b", "\u202e", strings.Repeat("n", 255), strings.Repeat("n", 256), strings.Repeat("0", 64),
	strings.Repeat("f", 64), strings.Repeat("(", 200), "v", "a{sv}", "(((((((())))))))",
}

// numbers are what a reader of sizes, offsets and counts may stumble over.
var numbers = []uint64{
	0, 1, 2, 7, 8, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x10000, 1<<31 - 1, 1 << 31, 1<<32 - 1, 1 << 32,
	1 << 62, 1<<63 - 1, 1 << 63, 1<<64 - 8, 1<<64 - 1,
}

// changes are the ways to change bytes. Each takes any data and may change it in place.
var changes = []func(r *rand.Rand, data []byte) []byte{
	flipBit, flipBit, setByte, cut, extend, insert, removeRange, repeatRange, swapRanges, setNumber, setNumber, setOffset, setOffset,
	func(_ *rand.Rand, data []byte) []byte { return data[:0] },
}

// Bytes returns data with some changes, most often one.
func Bytes(r *rand.Rand, data []byte) []byte {
	data = slices.Clone(data)
	for more := true; more; more = r.IntN(3) == 0 {
		data = changes[r.IntN(len(changes))](r, data)
	}
	return data
}

// span is a range of data, most often a short one.
func span(r *rand.Rand, data []byte) (from, to int) {
	from = r.IntN(len(data) + 1)
	length := 1 + r.IntN(8)
	if r.IntN(4) == 0 {
		length = r.IntN(maxGrowth)
	}
	return from, min(from+length, len(data))
}

func flipBit(r *rand.Rand, data []byte) []byte {
	if len(data) > 0 {
		data[r.IntN(len(data))] ^= 1 << r.IntN(8)
	}
	return data
}

func setByte(r *rand.Rand, data []byte) []byte {
	if len(data) > 0 {
		data[r.IntN(len(data))] = byte(r.Uint32())
	}
	return data
}

func cut(r *rand.Rand, data []byte) []byte { return data[:r.IntN(len(data)+1)] }

func extend(r *rand.Rand, data []byte) []byte {
	fill := []byte{0, 0xff, byte(r.Uint32())}[r.IntN(3)]
	length := 1 + r.IntN(8)
	if r.IntN(4) == 0 {
		length = r.IntN(maxGrowth)
	}
	return append(data, bytes.Repeat([]byte{fill}, length)...)
}

func insert(r *rand.Rand, data []byte) []byte {
	return slices.Insert(data, r.IntN(len(data)+1), []byte(tokens[r.IntN(len(tokens))])...)
}

func removeRange(r *rand.Rand, data []byte) []byte {
	from, to := span(r, data)
	return slices.Delete(data, from, to)
}

func repeatRange(r *rand.Rand, data []byte) []byte {
	from, to := span(r, data)
	return slices.Insert(data, r.IntN(len(data)+1), slices.Clone(data[from:to])...)
}

func swapRanges(r *rand.Rand, data []byte) []byte {
	from, to := span(r, data)
	if to+to-from > len(data) {
		return data
	}
	at := to + r.IntN(len(data)-to-(to-from)+1)
	for i := range to - from {
		data[from+i], data[at+i] = data[at+i], data[from+i]
	}
	return data
}

// setNumber writes a number, of any size and in either byte order.
func setNumber(r *rand.Rand, data []byte) []byte {
	n, width := numbers[r.IntN(len(numbers))], 1<<r.IntN(4)
	var text [8]byte
	binary.LittleEndian.PutUint64(text[:], n)
	if r.IntN(2) == 0 {
		slices.Reverse(text[:width])
	}
	if len(data) >= width {
		copy(data[r.IntN(len(data)-width+1):], text[:width])
	}
	return data
}

// setOffset changes one of the last bytes, where the framing offsets of a
// container are: by a little, or to one that leads to an edge of it.
func setOffset(r *rand.Rand, data []byte) []byte {
	if len(data) == 0 {
		return data
	}
	at := len(data) - 1 - r.IntN(min(len(data), 12))
	switch r.IntN(3) {
	case 0:
		data[at] += byte(r.IntN(9)) - 4
	case 1:
		data[at] = byte(len(data) - r.IntN(3))
	default:
		data[at] = data[len(data)-1-r.IntN(min(len(data), 12))]
	}
	return data
}

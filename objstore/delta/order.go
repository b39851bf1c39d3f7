package delta

import (
	"math"
	"math/bits"

	"deployfs/objstore/gvariant"
)

// Order is the byte order of the sizes in a superblock.
type Order struct {
	Big     bool
	Known   bool // false: nothing tells, and little endian is taken
	Guessed bool // the delta does not say it
}

// String is the byte order as ostree prints it.
func (o Order) String() string {
	text := "invalid"
	switch {
	case o.Known && o.Big:
		text = "big"
	case o.Known:
		text = "little"
	}
	if o.Known && o.Guessed {
		text += " (heuristic)"
	}
	return text
}

func (o Order) fix32(n uint32) uint32 {
	if o.Big {
		return bits.ReverseBytes32(n)
	}
	return n
}

func (o Order) fix64(n uint64) uint64 {
	if o.Big {
		return bits.ReverseBytes64(n)
	}
	return n
}

const keyOrder = "ostree.endianness"

// orderOf is what the metadata says, or what can be told from the sizes of parts.
func orderOf(metadata, parts gvariant.Value) Order {
	v, ok := metadata.Lookup(keyOrder)
	switch {
	case !ok || v.Type() != "y":
		big := looksBig(parts)
		return Order{Big: big, Known: big, Guessed: true}
	case v.Byte() == 'l':
		return Order{Known: true}
	case v.Byte() == 'B':
		return Order{Big: true, Known: true}
	}
	return Order{}
}

// growth is how much longer compression makes a part, at most.
const growth = 1.2

// looksBig guesses as ostree does: no part grows when it is compressed, and objects
// have less than 4 GiB each.
func looksBig(parts gvariant.Value) bool {
	var size, objects uint64
	for i := range parts.Len() {
		v := parts.At(i)
		small, large := v.At(2).Uint64(), v.At(3).Uint64()
		if small > large && float64(small)/float64(large) > growth {
			return true
		}
		size += small
		objects += uint64(len(v.At(4).Bytes()) / nameSize)
	}
	return objects > 0 && size/objects > math.MaxUint32
}

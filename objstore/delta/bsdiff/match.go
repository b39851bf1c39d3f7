package bsdiff

import (
	"encoding/binary"

	"deployfs/objstore/delta/prefix"
	"deployfs/objstore/delta/scratch"
)

// index finds the longest match of some bytes in the old content: its suffixes in their order,
// and where those begin in it that start with some two bytes.
type index struct {
	old    []byte
	sa     []int32
	free   func() // gives sa back
	starts [1<<16 + 1]int32
}

// newIndex sorts the suffixes of old. It is to be closed.
func newIndex(old []byte) *index {
	x := &index{old: old}
	x.sa, x.free = scratch.Int32s(len(old))
	sortSuffixes(old, x.sa, 1<<8)
	for i := range len(old) - 1 {
		x.starts[int(binary.BigEndian.Uint16(old[i:]))+1]++
	}
	if len(old) > 0 { // the last byte alone stands before all that begin with it
		x.starts[int(old[len(old)-1])<<8]++
	}
	sum := int32(0)
	for i := range x.starts {
		sum += x.starts[i]
		x.starts[i] = sum
	}
	return x
}

func (x *index) close() { x.free() }

// longest returns where in the old content the longest beginning of data is found, and its length.
// A single byte is not looked for.
func (x *index) longest(data []byte) (place, length int) {
	if len(data) < 2 {
		return 0, 0
	}
	two := int(binary.BigEndian.Uint16(data))
	low, high := x.starts[two], x.starts[two+1]
	lowLength, highLength := 2, 2 // bytes that data shares with the suffixes below low and from high on
	for low < high {
		middle := int32(uint32(low+high) >> 1)
		suffix := x.old[x.sa[middle]:]
		shared := min(lowLength, highLength)
		if shared > len(suffix) {
			shared = 0
		}
		shared += prefix.Shared(suffix[shared:], data[shared:])
		if shared > length {
			place, length = int(x.sa[middle]), shared
		}
		switch {
		case shared == len(data):
			return place, length
		case shared == len(suffix) || suffix[shared] < data[shared]:
			low, lowLength = middle+1, shared
		default:
			high, highLength = middle, shared
		}
	}
	return place, length
}

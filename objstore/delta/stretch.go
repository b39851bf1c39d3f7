package delta

import (
	"bytes"
	"encoding/binary"
	"io"
	"math/bits"
)

// stretch is a serialised value, some of whose pieces lie elsewhere.
type stretch struct {
	pieces []io.Reader
	size   int64
}

func (s *stretch) bytes(data []byte) {
	s.pieces = append(s.pieces, bytes.NewReader(data))
	s.size += int64(len(data))
}

func (s *stretch) add(other stretch) {
	s.pieces = append(s.pieces, other.pieces...)
	s.size += other.size
}

// alignment is that of all that holds a variant or a t.
const alignment = 8

// align pads to where the next such value begins.
func (s *stretch) align() { s.bytes(make([]byte, -s.size&(alignment-1))) }

// frame appends the ends of a container's parts, in the fewest bytes that do for all of it.
func (s *stretch) frame(ends []int64) {
	width := int64(1)
	for bits.Len64(uint64(s.size+int64(len(ends))*width)) > int(8*width) {
		width *= 2
	}
	var data, number []byte
	for _, end := range ends {
		number = binary.LittleEndian.AppendUint64(number[:0], uint64(end))
		data = append(data, number[:width]...)
	}
	s.bytes(data)
}

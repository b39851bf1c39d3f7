package bsdiff

import "encoding/binary"

// stepSize is the length of a step's three integers.
const stepSize = 24

// sign marks a negative integer.
const sign = 1 << 63

// step is what one step of a patch does.
type step struct {
	add  int64 // bytes of difference that follow
	copy int64 // new bytes that follow these
	seek int64 // how far the place in the old content moves afterwards
}

// parseStep reads a step from the stepSize bytes of data.
func parseStep(data []byte) step {
	return step{parseInt(data[0:8]), parseInt(data[8:16]), parseInt(data[16:24])}
}

// append writes the step behind data.
func (s step) append(data []byte) []byte {
	return appendInt(appendInt(appendInt(data, s.add), s.copy), s.seek)
}

// parseInt reads an integer of sign and magnitude.
func parseInt(data []byte) int64 {
	n := binary.LittleEndian.Uint64(data)
	if n&sign != 0 {
		return -int64(n &^ sign)
	}
	return int64(n)
}

// appendInt writes an integer as sign and magnitude.
func appendInt(data []byte, n int64) []byte {
	if n < 0 {
		return binary.LittleEndian.AppendUint64(data, uint64(-n)|sign)
	}
	return binary.LittleEndian.AppendUint64(data, uint64(n))
}

package mutate

import (
	"encoding/binary"
	"slices"
)

// The containers here hold parts of variable size that need no alignment, as
// those of dirtrees and extended attributes do.

// offsets appends framing offsets in the smallest width that addresses the whole.
func offsets(body []byte, ends []int) []byte {
	width := 1
	for width < 8 && len(body)+width*len(ends) >= 1<<(8*width) {
		width *= 2
	}
	for _, end := range ends {
		body = append(body, binary.LittleEndian.AppendUint64(nil, uint64(end))[:width]...)
	}
	return body
}

func array(elements ...[]byte) []byte {
	var body []byte
	var ends []int
	for _, e := range elements {
		body = append(body, e...)
		ends = append(ends, len(body))
	}
	return offsets(body, ends)
}

func tuple(members ...[]byte) []byte {
	var body []byte
	var ends []int
	for i, m := range members {
		body = append(body, m...)
		if i < len(members)-1 {
			ends = append(ends, len(body))
		}
	}
	slices.Reverse(ends)
	return offsets(body, ends)
}

// offset reads the framing offset number i of a container, from its end: 1 is the last.
func offset(data []byte, i int) (value, width int) {
	width = 1
	for len(data) >= 1<<(8*width) {
		width *= 2
	}
	var text [8]byte
	copy(text[:], data[len(data)-i*width:][:width])
	return int(binary.LittleEndian.Uint64(text[:])), width
}

// elements takes apart an array that a writer made.
func elements(data []byte) (list [][]byte) {
	if len(data) == 0 {
		return nil
	}
	body, width := offset(data, 1)
	start := 0
	for i := (len(data) - body) / width; i > 0; i-- {
		end, _ := offset(data, i)
		list = append(list, data[start:end])
		start = end
	}
	return list
}

// members takes apart a tuple of n members that a writer made.
func members(data []byte, n int) (list [][]byte) {
	start := 0
	for i := 1; i < n; i++ {
		end, _ := offset(data, i)
		list = append(list, data[start:end])
		start = end
	}
	_, width := offset(data, 1)
	return append(list, data[start:len(data)-(n-1)*width])
}

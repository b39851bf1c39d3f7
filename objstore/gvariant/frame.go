package gvariant

import "encoding/binary"

// width is the size of each framing offset in a container of size bytes.
func width(size int) int {
	switch {
	case size <= 0xff:
		return 1
	case size <= 0xffff:
		return 2
	case uint64(size) <= 0xffffffff:
		return 4
	}
	return 8
}

// framedSize is the size that a writer gives a container of body bytes and n
// framing offsets: the smallest offset width that fits.
func framedSize(body, n int) int {
	for w := 1; w < 8; w *= 2 {
		if size := body + n*w; width(size) <= w {
			return size
		}
	}
	return body + n*8
}

// readOffset reads the offset of width w at data[at:]; -1 when it exceeds an int.
func readOffset(data []byte, at, w int) int {
	switch w {
	case 1:
		return int(data[at])
	case 2:
		return int(binary.LittleEndian.Uint16(data[at:]))
	case 4:
		return int(binary.LittleEndian.Uint32(data[at:]))
	}
	if v := binary.LittleEndian.Uint64(data[at:]); v < 1<<62 {
		return int(v)
	}
	return -1
}

// appendOffsets appends framing offsets in a container whose body is data.
func appendOffsets(data []byte, ends []int) []byte {
	w := width(framedSize(len(data), len(ends)))
	var tmp [8]byte
	for _, end := range ends {
		binary.LittleEndian.PutUint64(tmp[:], uint64(end))
		data = append(data, tmp[:w]...)
	}
	return data
}

// arrayFrame tells the width of the offsets of a non-empty array of
// variable-size elements, where its body ends and how many elements it has.
func arrayFrame(data []byte) (w, body, n int) {
	w = width(len(data))
	body = readOffset(data, len(data)-w, w)
	return w, body, (len(data) - body) / w
}

// zero reports whether data holds padding only.
func zero(data []byte) bool {
	for _, b := range data {
		if b != 0 {
			return false
		}
	}
	return true
}

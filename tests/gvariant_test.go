package tests

import (
	endian "encoding/binary"
	"maps"
	"slices"
)

// gv is a serialised GVariant with what its container must know of it. It is written apart from the
// programs under test, so that one mistake cannot hide another.
type gv struct {
	data  []byte
	align int
	fixed bool
}

func gvBytes(b []byte) gv  { return gv{data: b, align: 1} }                  // ay
func gvString(s string) gv { return gv{data: []byte(s + "\x00"), align: 1} } // s, and ay with a NUL
func gvBE32(n uint32) gv   { return gv{endian.BigEndian.AppendUint32(nil, n), 4, true} }
func gvBE64(n uint64) gv   { return gv{endian.BigEndian.AppendUint64(nil, n), 8, true} }

// gvTuple serialises a tuple that has at least one member of variable size.
func gvTuple(members ...gv) gv {
	var body []byte
	var ends []int
	align := 1
	for i, m := range members {
		align = max(align, m.align)
		body = append(pad(body, m.align), m.data...)
		if !m.fixed && i < len(members)-1 {
			ends = append(ends, len(body))
		}
	}
	slices.Reverse(ends)
	return gv{data: frame(body, ends), align: align}
}

// gvArray serialises an array of elements of variable size.
func gvArray(align int, elements ...gv) gv {
	var body []byte
	var ends []int
	for _, e := range elements {
		body = append(pad(body, align), e.data...)
		ends = append(ends, len(body))
	}
	return gv{data: frame(body, ends), align: align}
}

func pad(b []byte, align int) []byte {
	for len(b)%align != 0 {
		b = append(b, 0)
	}
	return b
}

// frame appends the framing offsets in the smallest width that addresses the whole.
func frame(body []byte, ends []int) []byte {
	width := 1
	for width < 8 && len(body)+width*len(ends) >= 1<<(8*width) {
		width *= 2
	}
	for _, end := range ends {
		body = append(body, endian.LittleEndian.AppendUint64(nil, uint64(end))[:width]...)
	}
	return body
}

// gvXattrs serialises a(ayay), sorted by name.
func gvXattrs(xattrs map[string]string) []byte {
	var pairs []gv
	for _, name := range slices.Sorted(maps.Keys(xattrs)) {
		pairs = append(pairs, gvTuple(gvString(name), gvBytes([]byte(xattrs[name]))))
	}
	return gvArray(1, pairs...).data
}

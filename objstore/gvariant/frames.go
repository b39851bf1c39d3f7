package gvariant

// Frames finds the elements of an array, or the members of a tuple, without a
// look at their types. It is for the inner loops over types that are known.
type Frames struct {
	data        []byte
	width, body int
	n           int
}

// ElementFrames are those of an array whose elements vary in size and need no
// alignment.
func (v Value) ElementFrames() Frames {
	if len(v.data) == 0 {
		return Frames{}
	}
	w, body, n := arrayFrame(v.data)
	return Frames{v.data, w, body, n}
}

// Len is the number of elements.
func (f Frames) Len() int { return f.n }

// At is the serialised form of element i, in place.
func (f Frames) At(i int) []byte {
	start := 0
	if i > 0 {
		start = readOffset(f.data, f.body+(i-1)*f.width, f.width)
	}
	end := readOffset(f.data, f.body+i*f.width, f.width)
	return f.data[start:end:end]
}

// MemberEnd is where member i of such a tuple as MemberEnds takes ends; it is not the last one.
func MemberEnd(tuple []byte, i int) int {
	w := width(len(tuple))
	return readOffset(tuple, len(tuple)-(i+1)*w, w)
}

// MemberEnds are where the first member of a tuple in normal form ends, of whose
// n members all vary in size and none needs alignment, and where its last does.
func MemberEnds(tuple []byte, n int) (first, last int) {
	w := width(len(tuple))
	last = len(tuple) - (n-1)*w
	return readOffset(tuple, len(tuple)-w, w), last
}

package gvariant

import "encoding/binary"

// NewByte serialises a y.
func NewByte(b byte) Value { return Value{"y", []byte{b}} }

// NewBool serialises a b.
func NewBool(b bool) Value {
	if b {
		return Value{"b", []byte{1}}
	}
	return Value{"b", []byte{0}}
}

// NewUint32 serialises a u, little endian.
func NewUint32(n uint32) Value { return Value{"u", binary.LittleEndian.AppendUint32(nil, n)} }

// NewUint64 serialises a t, little endian.
func NewUint64(n uint64) Value { return Value{"t", binary.LittleEndian.AppendUint64(nil, n)} }

// NewString serialises an s; text must be UTF-8 without a NUL.
func NewString(text string) Value { return Value{"s", append([]byte(text), 0)} }

// NewBytes makes an ay of data, which it keeps.
func NewBytes(data []byte) Value { return Value{"ay", data} }

// NewVariant boxes a value.
func NewVariant(v Value) Value {
	data := append([]byte(nil), v.data...)
	return Value{"v", append(append(data, 0), v.typ...)}
}

// NewArray serialises an array of elements, each of the type elem.
func NewArray(elem string, elements ...Value) Value {
	var data []byte
	var ends []int
	l := layoutOf(elem)
	for _, e := range elements {
		data = append(pad(data, l.align), e.data...)
		ends = append(ends, len(data))
	}
	if l.size == 0 && len(ends) > 0 {
		data = appendOffsets(data, ends)
	}
	return Value{"a" + elem, data}
}

// NewTuple serialises a tuple of its members.
func NewTuple(values ...Value) Value {
	typ, data := frame(values)
	return Value{"(" + typ + ")", data}
}

// NewEntry serialises a dict entry; key must be of a basic type.
func NewEntry(key, value Value) Value {
	typ, data := frame([]Value{key, value})
	return Value{"{" + typ + "}", data}
}

func frame(values []Value) (sigs string, data []byte) {
	if len(values) == 0 {
		return "", []byte{0}
	}
	var ends []int
	for i, v := range values {
		l := layoutOf(v.typ)
		data = append(pad(data, l.align), v.data...)
		if l.size == 0 && i < len(values)-1 {
			ends = append([]int{len(data)}, ends...)
		}
		sigs += v.typ
	}
	if l := tupleLayout(sigs); l.size > 0 {
		return sigs, pad(data, l.align)
	}
	return sigs, appendOffsets(data, ends)
}

// pad appends zeroes up to a multiple of align.
func pad(data []byte, align int) []byte {
	for len(data)%align != 0 {
		data = append(data, 0)
	}
	return data
}

package gvariant

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
)

// Value is a serialised value in place: a complete type and its bytes in
// normal form. The zero Value has no type and no children.
type Value struct {
	typ  string
	data []byte
}

// Parse returns the value of type typ that data holds. It keeps data, and fails
// unless data is in normal form.
func Parse(typ string, data []byte) (Value, error) {
	if err := checkType(typ); err != nil {
		return Value{}, err
	}
	s := shapeOf(typ)
	if err := check(&s, data, maxDepth); err != nil {
		return Value{}, fmt.Errorf("gvariant of type %s: %w", typ, err)
	}
	return Value{typ, data}, nil
}

// Type is the value's complete type, such as "a{sv}".
func (v Value) Type() string { return v.typ }

// Bytes is the serialised form; the caller must not change it.
func (v Value) Bytes() []byte { return v.data }

// Len is the number of children: elements of an array, members of a tuple or
// dict entry, 1 for a variant, 0 or 1 for a maybe, 0 for everything else.
func (v Value) Len() int {
	if v.typ == "" {
		return 0
	}
	switch v.typ[0] {
	case 'v':
		return 1
	case 'm':
		return min(len(v.data), 1)
	case 'a':
		return v.arrayLen()
	case '(', '{':
		n := 0
		for sigs := members(v.typ); sigs != ""; n++ {
			_, sigs = next(sigs)
		}
		return n
	}
	return 0
}

func (v Value) arrayLen() int {
	if len(v.data) == 0 {
		return 0
	}
	if size := layoutOf(v.typ[1:]).size; size > 0 {
		return len(v.data) / size
	}
	_, _, n := arrayFrame(v.data)
	return n
}

// At is child i; it panics unless 0 <= i < Len().
func (v Value) At(i int) Value {
	if i < 0 || i >= v.Len() {
		panic(fmt.Sprintf("gvariant: child %d of a %q of %d", i, v.typ, v.Len()))
	}
	switch v.typ[0] {
	case 'v':
		at := bytes.LastIndexByte(v.data, 0)
		return Value{string(v.data[at+1:]), v.data[:at:at]}
	case 'm':
		end := len(v.data)
		if layoutOf(v.typ[1:]).size == 0 {
			end--
		}
		return Value{v.typ[1:], v.data[:end:end]}
	case 'a':
		return v.element(i)
	}
	return v.member(i)
}

func (v Value) element(i int) Value {
	elem := v.typ[1:]
	l := layoutOf(elem)
	if l.size > 0 {
		return Value{elem, v.data[i*l.size : (i+1)*l.size : (i+1)*l.size]}
	}
	w, body, _ := arrayFrame(v.data)
	start := 0
	if i > 0 {
		start = roundUp(readOffset(v.data, body+(i-1)*w, w), l.align)
	}
	end := readOffset(v.data, body+i*w, w)
	return Value{elem, v.data[start:end:end]}
}

func (v Value) member(i int) Value {
	sigs := members(v.typ)
	w := width(len(v.data))
	body, offset, end := len(v.data)-offsetCount(sigs)*w, len(v.data), 0
	for ; ; i-- {
		var typ string
		typ, sigs = next(sigs)
		l := layoutOf(typ)
		start := roundUp(end, l.align)
		switch {
		case l.size > 0:
			end = start + l.size
		case sigs != "":
			offset -= w
			end = readOffset(v.data, offset, w)
		default:
			end = body
		}
		if i == 0 {
			return Value{typ, v.data[start:end:end]}
		}
	}
}

// Variant is what a value of type v holds.
func (v Value) Variant() Value { return v.At(0) }

// Lookup finds key in a dictionary with string keys, and unboxes its value when
// that is a variant. The first of several equal keys counts, as in GLib.
func (v Value) Lookup(key string) (Value, bool) {
	for i := range v.Len() {
		entry := v.At(i)
		if entry.At(0).Str() == key {
			value := entry.At(1)
			if value.typ == "v" {
				value = value.Variant()
			}
			return value, true
		}
	}
	return Value{}, false
}

// Byte is the value of a y.
func (v Value) Byte() byte { return v.data[0] }

// Bool is the value of a b.
func (v Value) Bool() bool { return v.data[0] != 0 }

// Uint16 is the value of an n or q, little endian.
func (v Value) Uint16() uint16 { return binary.LittleEndian.Uint16(v.data) }

// Uint32 is the value of an i, u or h, little endian.
func (v Value) Uint32() uint32 { return binary.LittleEndian.Uint32(v.data) }

// Uint64 is the value of an x or t, little endian.
func (v Value) Uint64() uint64 { return binary.LittleEndian.Uint64(v.data) }

// Float64 is the value of a d.
func (v Value) Float64() float64 { return math.Float64frombits(v.Uint64()) }

// Str is the value of an s, o or g, copied.
func (v Value) Str() string { return string(v.Text()) }

// Text is the value of an s, o or g without its NUL, in place.
func (v Value) Text() []byte { return v.data[:len(v.data)-1] }

// ByteString is the value of an ay, in place.
func (v Value) ByteString() []byte { return v.data }

package gvariant

import (
	"bytes"
	"errors"
	"unicode/utf8"
)

var errNotNormal = errors.New("not in normal form")

// check fails unless data is the one normal form of a value of that shape. depth
// is how many more levels may follow.
func check(s *shape, data []byte, depth int) error {
	if depth == 0 {
		return errors.New("nested too deeply")
	}
	if s.size > 0 && len(data) != s.size {
		return errNotNormal
	}
	switch s.typ {
	case 'b':
		return require(data[0] <= 1)
	case 's', 'o', 'g':
		return checkString(s.typ, data)
	case 'v':
		return checkVariant(data, depth)
	case 'm':
		return checkMaybe(&s.parts[0], data, depth)
	case 'a':
		return checkArray(&s.parts[0], data, depth)
	case '(', '{':
		return checkTuple(s, data, depth)
	}
	return nil
}

func require(ok bool) error {
	if ok {
		return nil
	}
	return errNotNormal
}

func checkString(typ byte, data []byte) error {
	if len(data) == 0 || bytes.IndexByte(data, 0) != len(data)-1 {
		return errNotNormal
	}
	text := data[:len(data)-1]
	switch typ {
	case 'o':
		return require(objectPath(text))
	case 'g':
		rest, ok := string(text), true
		for rest != "" && ok {
			rest, ok = skipType(rest, maxDepth)
		}
		return require(ok)
	}
	return require(utf8.Valid(text))
}

// objectPath reports whether text is a D-Bus object path.
func objectPath(text []byte) bool {
	if len(text) == 0 || text[0] != '/' {
		return false
	}
	for i, c := range text {
		letter := c == '_' || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
		if c != '/' && !letter || c == '/' && i > 0 && (text[i-1] == '/' || i == len(text)-1) {
			return false
		}
	}
	return true
}

func checkVariant(data []byte, depth int) error {
	at := bytes.LastIndexByte(data, 0)
	if at < 0 {
		return errNotNormal
	}
	if len(data)-at-1 > maxVariantType {
		return errors.New("variant of a type that is too long")
	}
	typ := string(data[at+1:])
	if err := checkType(typ); err != nil {
		return err
	}
	s := shapeOf(typ)
	return check(&s, data[:at], depth-1)
}

func checkMaybe(elem *shape, data []byte, depth int) error {
	if len(data) == 0 {
		return nil
	}
	if elem.size == 0 {
		if data[len(data)-1] != 0 {
			return errNotNormal
		}
		data = data[:len(data)-1]
	}
	return check(elem, data, depth-1)
}

func checkArray(elem *shape, data []byte, depth int) error {
	if elem.typ == 'y' || len(data) == 0 {
		return nil
	}
	if elem.size > 0 {
		if len(data)%elem.size != 0 {
			return errNotNormal
		}
		for ; len(data) > 0; data = data[elem.size:] {
			if err := check(elem, data[:elem.size], depth-1); err != nil {
				return err
			}
		}
		return nil
	}
	w := width(len(data))
	body := readOffset(data, len(data)-w, w)
	if body < 0 || body >= len(data) || (len(data)-body)%w != 0 {
		return errNotNormal
	}
	n := (len(data) - body) / w
	if framedSize(body, n) != len(data) {
		return errNotNormal
	}
	end := 0
	for i := range n {
		stop := readOffset(data, body+i*w, w)
		part, ok := span(data, end, stop, body, elem.align)
		if !ok {
			return errNotNormal
		}
		if err := check(elem, part, depth-1); err != nil {
			return err
		}
		end = stop
	}
	return nil
}

// span cuts out the part that follows the one that ended at prev and itself
// ends at end; false when it does not lie in the body or its padding is not zero.
func span(data []byte, prev, end, body, align int) (part []byte, ok bool) {
	start := roundUp(prev, align)
	if end < start || end > body || !zero(data[prev:start]) {
		return nil, false
	}
	return data[start:end:end], true
}

func checkTuple(s *shape, data []byte, depth int) error {
	if len(s.parts) == 0 {
		return require(data[0] == 0)
	}
	w := width(len(data))
	body := len(data) - s.offsets*w
	if body < 0 || framedSize(body, s.offsets) != len(data) {
		return errNotNormal
	}
	end, offset := 0, len(data)
	for i := range s.parts {
		part := &s.parts[i]
		stop := body
		switch {
		case part.size > 0:
			stop = roundUp(end, part.align) + part.size
		case i < len(s.parts)-1:
			offset -= w
			stop = readOffset(data, offset, w)
		}
		value, ok := span(data, end, stop, body, part.align)
		if !ok {
			return errNotNormal
		}
		if err := check(part, value, depth-1); err != nil {
			return err
		}
		end = stop
	}
	if s.size > 0 {
		return require(zero(data[end:]))
	}
	return require(end == body)
}

// offsetCount is how many framing offsets a tuple of these member types has:
// one for each variable-size member that is not the last.
func offsetCount(sigs string) (n int) {
	for sigs != "" {
		var typ string
		typ, sigs = next(sigs)
		if sigs != "" && layoutOf(typ).size == 0 {
			n++
		}
	}
	return n
}

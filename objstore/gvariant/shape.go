package gvariant

// shape is a type that was looked into once, for however many values of it follow.
type shape struct {
	layout
	typ     byte    // its first character
	parts   []shape // the element of an array or of a maybe; the members of a tuple
	offsets int     // framing offsets of a tuple
}

// shapeOf looks into a valid complete type.
func shapeOf(typ string) shape {
	s, _ := splitShape(typ)
	return s
}

// splitShape looks into the first complete type of sig, which must be valid.
func splitShape(sig string) (s shape, rest string) {
	s.typ, rest = sig[0], sig[1:]
	switch s.typ {
	case 'a', 'm':
		s.parts = make([]shape, 1)
		s.parts[0], rest = splitShape(rest)
		s.align = s.parts[0].align
	case '(', '{':
		for rest[0] != ')' && rest[0] != '}' {
			var part shape
			part, rest = splitShape(rest)
			s.parts = append(s.parts, part)
		}
		s.join()
		rest = rest[1:]
	default:
		s.layout = basic[s.typ]
	}
	return s, rest
}

// join makes a tuple's layout of its members'.
func (s *shape) join() {
	if len(s.parts) == 0 {
		s.layout = layout{1, 1}
		return
	}
	size, fixed := 0, true
	for i, part := range s.parts {
		s.align = max(s.align, part.align)
		size = roundUp(size, part.align) + part.size
		fixed = fixed && part.size > 0
		if part.size == 0 && i < len(s.parts)-1 {
			s.offsets++
		}
	}
	if fixed {
		s.size = roundUp(size, s.align)
	}
}

package gvariant

import "fmt"

const (
	// maxDepth bounds the nesting of types and variants, as GLib does.
	maxDepth = 128
	// maxVariantType bounds the type of what a variant holds, in bytes, as
	// D-Bus does: checking a value costs its size times its type's.
	maxVariantType = 255
)

// layout is what serialisation needs to know of a type: its alignment in bytes
// and its size, 0 when values of it differ in size.
type layout struct {
	align, size int
}

// basic lists the types of one letter.
var basic = [256]layout{
	'b': {1, 1}, 'y': {1, 1}, 'n': {2, 2}, 'q': {2, 2}, 'i': {4, 4}, 'u': {4, 4}, 'h': {4, 4},
	'x': {8, 8}, 't': {8, 8}, 'd': {8, 8}, 's': {1, 0}, 'o': {1, 0}, 'g': {1, 0}, 'v': {8, 0},
}

// next splits the first complete type off sig, which must be valid.
func next(sig string) (first, rest string) {
	n := 1
	switch sig[0] {
	case 'a', 'm':
		inner, _ := next(sig[1:])
		n += len(inner)
	case '(', '{':
		for depth := 1; depth > 0; n++ {
			switch sig[n] {
			case '(', '{':
				depth++
			case ')', '}':
				depth--
			}
		}
	}
	return sig[:n], sig[n:]
}

// members is the list of member types inside a tuple's or dict entry's brackets.
func members(typ string) string { return typ[1 : len(typ)-1] }

// layoutOf tells alignment and fixed size of a valid complete type.
func layoutOf(typ string) layout {
	switch typ[0] {
	case 'a', 'm':
		return layout{align: layoutOf(typ[1:]).align}
	case '(', '{':
		return tupleLayout(members(typ))
	}
	return basic[typ[0]]
}

func tupleLayout(sigs string) layout {
	if sigs == "" {
		return layout{1, 1}
	}
	all, fixed := layout{align: 1}, true
	for sigs != "" {
		var first string
		first, sigs = next(sigs)
		l := layoutOf(first)
		all.align = max(all.align, l.align)
		all.size = roundUp(all.size, l.align) + l.size
		fixed = fixed && l.size > 0
	}
	if !fixed {
		return layout{align: all.align}
	}
	all.size = roundUp(all.size, all.align)
	return all
}

// roundUp rounds n up to a multiple of align, a power of two.
func roundUp(n, align int) int { return (n + align - 1) &^ (align - 1) }

// checkType fails unless typ is exactly one complete type.
func checkType(typ string) error {
	rest, ok := skipType(typ, maxDepth)
	if !ok || rest != "" {
		return fmt.Errorf("invalid gvariant type %q", typ)
	}
	return nil
}

// skipType returns what follows the first complete type of sig.
func skipType(sig string, depth int) (rest string, ok bool) {
	if sig == "" || depth == 0 {
		return "", false
	}
	switch sig[0] {
	case 'a', 'm':
		return skipType(sig[1:], depth-1)
	case '(':
		sig = sig[1:]
		for sig != "" && sig[0] != ')' {
			if sig, ok = skipType(sig, depth-1); !ok {
				return "", false
			}
		}
		if sig == "" {
			return "", false
		}
		return sig[1:], true
	case '{':
		return skipEntry(sig[1:], depth)
	}
	return sig[1:], basic[sig[0]].align > 0
}

// skipEntry returns what follows a dict entry whose opening brace is gone.
func skipEntry(sig string, depth int) (rest string, ok bool) {
	if sig == "" || sig[0] == 'v' || basic[sig[0]].align == 0 {
		return "", false
	}
	sig, ok = skipType(sig[1:], depth-1)
	if !ok || sig == "" || sig[0] != '}' {
		return "", false
	}
	return sig[1:], true
}

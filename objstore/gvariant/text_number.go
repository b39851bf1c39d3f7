package gvariant

import (
	"encoding/binary"
	"math"
	"strconv"
	"strings"
)

// isDouble reports whether a number is written as one with a fraction.
func isDouble(text string) bool {
	return strings.Contains(text, ".") || strings.Contains(text, "inf") || strings.Contains(text, "nan") ||
		strings.Contains(text, "e") && !strings.HasPrefix(text, "0x")
}

// number makes the node a number of type typ.
func (n *node) number(typ string) (Value, error) {
	if typ == "d" {
		return n.double()
	}
	abs, negative, err := n.integer()
	if err != nil {
		return Value{}, err
	}
	r, ok := ranges[typ]
	if !ok {
		return Value{}, n.mismatch(typ)
	}
	if negative && abs > r.below || !negative && abs > r.above {
		return Value{}, textError(n.start, n.end, "number out of range for type '"+typ+"'")
	}
	if negative {
		abs = -abs
	}
	data := binary.LittleEndian.AppendUint64(nil, abs)
	return Value{typ, data[:basic[typ[0]].size]}, nil
}

// ranges is how far each integer type reaches below and above 0.
var ranges = map[string]struct{ below, above uint64 }{
	"y": {0, math.MaxUint8},
	"n": {-math.MinInt16, math.MaxInt16}, "q": {0, math.MaxUint16},
	"i": {-math.MinInt32, math.MaxInt32}, "u": {0, math.MaxUint32}, "h": {-math.MinInt32, math.MaxInt32},
	"x": {-math.MinInt64, math.MaxInt64}, "t": {0, math.MaxUint64},
}

// integer reads a decimal, 0x or octal number. A sign alone is 0, as in GLib.
func (n *node) integer() (abs uint64, negative bool, err error) {
	text, negative := strings.CutPrefix(n.text, "-")
	at := len(n.text) - len(text)
	digits := text
	if text != "" && (text[0] == '+' || text[0] == '-') {
		digits = text[1:]
	}
	base := 10
	switch {
	case len(digits) > 2 && digits[0] == '0' && digits[1]|0x20 == 'x' && digitsLen(digits[2:], 16) > 0:
		base, digits = 16, digits[2:]
	case strings.HasPrefix(digits, "0"):
		base = 8
	}
	used := digitsLen(digits, base)
	if used > 0 {
		at = len(n.text) - len(digits) + used
		if abs, err = strconv.ParseUint(digits[:used], base, 64); err != nil {
			return 0, false, textError(n.start, n.end, "integer too big for any type")
		}
	}
	if at < len(n.text) {
		return 0, false, n.badCharacter(at)
	}
	if strings.HasPrefix(text, "-") && abs > 0 {
		abs = math.MaxUint64 // two signs: in no type's range
	}
	return abs, negative && abs > 0, nil
}

func digitsLen(s string, base int) int {
	return spanOf(s, func(c byte) bool {
		_, err := strconv.ParseUint(string(c), base, 8)
		return err == nil
	})
}

// badCharacter is the error of a number that is none from byte at on.
func (n *node) badCharacter(at int) error {
	return textError(n.start+at, n.start+at+1, "invalid character in number")
}

func (n *node) double() (Value, error) {
	used := floatLen(n.text)
	if used < len(n.text) {
		return Value{}, n.badCharacter(used)
	}
	bare := strings.ToLower(strings.TrimLeft(n.text, "+-"))
	if bare == "nan" {
		bits := uint64(0x7ff8) << 48
		if n.text[0] == '-' {
			bits |= 1 << 63
		}
		return newFloat64(math.Float64frombits(bits)), nil
	}
	text := n.text
	if strings.HasPrefix(bare, "0x") && !strings.Contains(bare, "p") {
		text += "p0"
	}
	d, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return Value{}, textError(n.start, n.end, "number too big for any type")
	}
	return newFloat64(d), nil
}

// newFloat64 serialises a d.
func newFloat64(d float64) Value {
	return Value{"d", binary.LittleEndian.AppendUint64(nil, math.Float64bits(d))}
}

// floatLen is the length of the number that s starts with, as strtod reads it.
func floatLen(s string) int {
	sign := 0
	if s != "" && (s[0] == '-' || s[0] == '+') {
		sign = 1
	}
	rest := strings.ToLower(s[sign:])
	for _, word := range []string{"infinity", "inf", "nan"} {
		if strings.HasPrefix(rest, word) {
			return sign + len(word)
		}
	}
	if strings.HasPrefix(rest, "0x") {
		if n := mantissaLen(rest[2:], 16); n > 0 {
			n += 2
			return sign + n + exponentLen(rest[n:], 'p')
		}
	}
	n := mantissaLen(rest, 10)
	if n == 0 {
		return 0
	}
	return sign + n + exponentLen(rest[n:], 'e')
}

// mantissaLen is the length of digits with at most one dot in or beside them.
func mantissaLen(s string, base int) int {
	n := digitsLen(s, base)
	if n < len(s) && s[n] == '.' {
		fraction := digitsLen(s[n+1:], base)
		if n+fraction > 0 {
			n += 1 + fraction
		}
	}
	return n
}

func exponentLen(s string, mark byte) int {
	if s == "" || s[0] != mark {
		return 0
	}
	n := 1
	if n < len(s) && (s[n] == '-' || s[n] == '+') {
		n++
	}
	if digits := digitsLen(s[n:], 10); digits > 0 {
		return n + digits
	}
	return 0
}

package gvariant

import (
	"bytes"
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"strings"
	"unicode"
)

// Print writes a value in GLib's text format, as g_variant_print does. With
// annotate, types that the text alone does not tell are named. With swap,
// every integer is read in the other byte order, as `ostree show --raw` does.
func Print(v Value, annotate, swap bool) string {
	p := printer{swap: swap}
	p.value(v, annotate)
	return p.String()
}

type printer struct {
	strings.Builder
	swap bool
}

// value prints one value and its children.
func (p *printer) value(v Value, annotate bool) {
	switch v.typ[0] {
	case 'a':
		p.array(v, annotate)
	case '(':
		p.tuple(v, annotate)
	case '{':
		p.WriteByte('{')
		p.value(v.At(0), annotate)
		p.WriteString(", ")
		p.value(v.At(1), annotate)
		p.WriteByte('}')
	case 'v':
		p.WriteByte('<')
		p.value(v.Variant(), true)
		p.WriteByte('>')
	case 'm':
		p.maybe(v, annotate)
	case 's':
		p.str(v.Str())
	default:
		p.number(v, annotate)
	}
}

func (p *printer) array(v Value, annotate bool) {
	dict, n := v.typ[1] == '{', v.Len()
	open, end := "[", "]"
	if dict {
		open, end = "{", "}"
	}
	switch {
	case v.typ == "ay" && n > 0 && bytes.IndexByte(v.data, 0) == n-1:
		p.byteString(v.data[:n-1])
		return
	case n == 0 && annotate:
		p.WriteString("@" + v.typ + " ")
	}
	p.WriteString(open)
	for i := range n {
		if i > 0 {
			p.WriteString(", ")
		}
		if child := v.At(i); dict {
			p.value(child.At(0), annotate)
			p.WriteString(": ")
			p.value(child.At(1), annotate)
		} else {
			p.value(child, annotate)
		}
		annotate = false
	}
	p.WriteString(end)
}

func (p *printer) tuple(v Value, annotate bool) {
	p.WriteByte('(')
	n := v.Len()
	for i := range n {
		if i > 0 {
			p.WriteString(", ")
		}
		p.value(v.At(i), annotate)
	}
	if n == 1 {
		p.WriteByte(',')
	}
	p.WriteByte(')')
}

func (p *printer) maybe(v Value, annotate bool) {
	if annotate {
		p.WriteString("@" + v.typ + " ")
	}
	justs := 0
	for v.typ[0] == 'm' && v.Len() == 1 {
		v = v.At(0)
		justs++
	}
	if v.typ[0] != 'm' {
		p.value(v, false)
		return
	}
	p.WriteString(strings.Repeat("just ", justs))
	p.WriteString("nothing")
}

// number prints the remaining basic types.
func (p *printer) number(v Value, annotate bool) {
	name, text := "", ""
	switch v.typ[0] {
	case 'b':
		text = strconv.FormatBool(v.Bool())
	case 'y':
		name, text = "byte ", fmt.Sprintf("0x%02x", v.Byte())
	case 'n':
		name, text = "int16 ", fmt.Sprint(int16(p.u16(v)))
	case 'q':
		name, text = "uint16 ", fmt.Sprint(p.u16(v))
	case 'i':
		text = fmt.Sprint(int32(p.u32(v)))
	case 'u':
		name, text = "uint32 ", fmt.Sprint(p.u32(v))
	case 'h':
		name, text = "handle ", fmt.Sprint(int32(p.u32(v)))
	case 'x':
		name, text = "int64 ", fmt.Sprint(int64(p.u64(v)))
	case 't':
		name, text = "uint64 ", fmt.Sprint(p.u64(v))
	case 'd':
		text = p.double(v)
	case 'o':
		name, text = "objectpath ", "'"+v.Str()+"'"
	case 'g':
		name, text = "signature ", "'"+v.Str()+"'"
	}
	if annotate {
		p.WriteString(name)
	}
	p.WriteString(text)
}

func (p *printer) u16(v Value) uint16 {
	if p.swap {
		return bits.ReverseBytes16(v.Uint16())
	}
	return v.Uint16()
}

func (p *printer) u32(v Value) uint32 {
	if p.swap {
		return bits.ReverseBytes32(v.Uint32())
	}
	return v.Uint32()
}

func (p *printer) u64(v Value) uint64 {
	if p.swap {
		return bits.ReverseBytes64(v.Uint64())
	}
	return v.Uint64()
}

func (p *printer) double(v Value) string {
	if p.swap {
		v = NewUint64(p.u64(v))
	}
	text := strconv.FormatFloat(v.Float64(), 'g', 17, 64)
	switch {
	case strings.HasSuffix(text, "Inf"):
		return strings.TrimPrefix(strings.ToLower(text), "+")
	case text == "NaN" && math.Signbit(v.Float64()):
		return "-nan"
	case text == "NaN":
		return "nan"
	case !strings.ContainsAny(text, ".e"):
		text += ".0"
	}
	return text
}

// quoteFor is the quote that GLib puts around text.
func quoteFor(text string) rune {
	if strings.Contains(text, "'") {
		return '"'
	}
	return '\''
}

// byteString prints an ay that is a C string.
func (p *printer) byteString(text []byte) {
	quote := quoteFor(string(text))
	p.WriteByte('b')
	p.WriteRune(quote)
	for _, c := range text {
		if at := strings.IndexByte("\b\f\n\r\t\v\\\"", c); at >= 0 {
			p.WriteByte('\\')
			p.WriteByte("bfnrtv\\\""[at])
		} else if c < ' ' || c >= 0x7f {
			fmt.Fprintf(p, "\\%03o", c)
		} else {
			p.WriteByte(c)
		}
	}
	p.WriteRune(quote)
}

// str prints an s.
func (p *printer) str(text string) {
	quote := quoteFor(text)
	p.WriteRune(quote)
	for _, c := range text {
		switch at := strings.IndexRune("\a\b\f\n\r\t\v", c); {
		case c == quote || c == '\\':
			p.WriteByte('\\')
			p.WriteRune(c)
		case at >= 0:
			p.WriteByte('\\')
			p.WriteByte("abfnrtv"[at])
		case unicode.IsPrint(c):
			p.WriteRune(c)
		case c < 0x10000:
			fmt.Fprintf(p, "\\u%04x", c)
		default:
			fmt.Fprintf(p, "\\U%08x", c)
		}
	}
	p.WriteRune(quote)
}

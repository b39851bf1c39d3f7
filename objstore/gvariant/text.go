package gvariant

import (
	"fmt"
	"strings"
)

// ParseText reads a value in GLib's text format, as g_variant_parse does when
// it is not told a type: 5 is an int32, 'a' a string, [] nothing that a type
// can be told of. Its errors are a TextError, or plain where the text is fine
// and the value is one that Parse refuses.
func ParseText(text string) (Value, error) {
	p := textParser{text: text}
	root, err := p.node(maxDepth)
	if err != nil {
		return Value{}, err
	}
	v, err := root.resolve()
	if err != nil {
		return Value{}, err
	}
	if p.scan(); p.at < len(text) {
		return Value{}, textError(p.at, p.at, "expected end of input")
	}
	return Parse(v.typ, v.data)
}

// TextError tells where a text is not a value: offsets in bytes, and those of
// a second place that does not agree with the first (OtherEnd is 0 without).
type TextError struct {
	Start, End           int
	OtherStart, OtherEnd int
	Reason               string
}

// Error words it as GLib does, "1-2,3-6:unable to find a common type".
func (e *TextError) Error() string {
	var at strings.Builder
	fmt.Fprint(&at, e.Start)
	if e.End != e.Start {
		fmt.Fprintf(&at, "-%d", e.End)
	}
	if e.OtherEnd > 0 {
		fmt.Fprintf(&at, ",%d-%d", e.OtherStart, e.OtherEnd)
	}
	return at.String() + ":" + e.Reason
}

func textError(start, end int, reason string) error {
	return &TextError{Start: start, End: end, Reason: reason}
}

package gvariant

import (
	"strings"
	"testing"
	"time"
)

// TestLongTypes: a variant brings its own type, which may be as long as the
// object. However it is chosen, refusing it takes no noticeable time.
func TestLongTypes(t *testing.T) {
	const n = 100_000
	for what, data := range map[string]string{
		"many elements of a long type": strings.Repeat("\x00", n/2) + "\x00am(" + strings.Repeat("y", n) + ")",
		"a long tuple":                 strings.Repeat("\x00", n) + "\x00(" + strings.Repeat("y", n) + ")",
		"a tuple of empty arrays":      "\x00(" + strings.Repeat("ay", n) + ")",
		"nested tuples":                "\x00" + strings.Repeat("(", 120) + strings.Repeat("y", n) + strings.Repeat(")", 120),
	} {
		start := time.Now()
		if _, err := Parse("v", []byte(data)); err == nil {
			t.Errorf("%s: accepted", what)
		}
		if d := time.Since(start); d > 10*time.Second {
			t.Errorf("%s: took %s", what, d)
		}
	}
	longest := "(" + strings.Repeat("y", maxVariantType-2) + ")"
	if _, err := Parse("v", []byte(strings.Repeat("\x00", maxVariantType-1)+longest)); err != nil {
		t.Errorf("a type of %d bytes: %v", len(longest), err)
	}
}

// TestManyElements is a list of the longest type.
func TestManyElements(t *testing.T) {
	data := strings.Repeat("\x00", 6000) + "\x00am(" + strings.Repeat("y", maxVariantType-4) + ")"
	v, err := Parse("v", []byte(data))
	if err != nil || v.Variant().Len() != 3000 {
		t.Error(err)
	}
}

// TestNoBytes: nil is as good as an empty slice.
func TestNoBytes(t *testing.T) {
	for typ, ok := range map[string]bool{"(ay)": true, "(as)": true, "as": true, "ay": true, "ms": true, "s": false, "v": false, "()": false} {
		_, err := Parse(typ, nil)
		_, same := Parse(typ, []byte{})
		if (err == nil) != ok || (same == nil) != ok {
			t.Errorf("%s: %v for nil, %v for no bytes", typ, err, same)
		}
	}
}

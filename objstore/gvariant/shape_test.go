package gvariant

import "testing"

// TestShape: a type that was looked into is laid out as the type itself.
func TestShape(t *testing.T) {
	for _, typ := range []string{"y", "s", "v", "ay", "as", "m(yt)", "()", "(u)", "(yt)", "(ty)", "(say)", "(sayay)", "(a(say)a(sayay))", "a{sv}", "(a{sv}aya(say)sstayay)", "(uuua(ayay))", "((y)(s)mv)"} {
		s := shapeOf(typ)
		offsets := 0
		if typ[0] == '(' {
			offsets = offsetCount(members(typ))
		}
		if want := layoutOf(typ); s.layout != want || s.offsets != offsets || s.typ != typ[0] {
			t.Errorf("%s: %+v, %d offsets, want %+v, %d", typ, s.layout, s.offsets, want, offsets)
		}
	}
}

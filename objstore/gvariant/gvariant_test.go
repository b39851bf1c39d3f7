package gvariant

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
)

func str(s string) Value { return NewString(s) }

func entry(key string, v Value) Value { return NewEntry(str(key), NewVariant(v)) }

// golden holds serialised values made by GLib.
var golden = []struct {
	name, hex string
	value     Value
	text      string
}{
	{"s", "686900", str("hi"), "'hi'"},
	{"(su)", "610000000100000002", NewTuple(str("a"), NewUint32(1)), "('a', uint32 1)"},
	{"(us)", "010000006100", NewTuple(NewUint32(1), str("a")), "(uint32 1, 'a')"},
	{"(ss)", "6100620002", NewTuple(str("a"), str("b")), "('a', 'b')"},
	{"as", "61006263000205", NewArray("s", str("a"), str("bc")), "['a', 'bc']"},
	{"aay", "61620202", NewArray("ay", NewBytes([]byte("ab")), NewBytes(nil)), "[[byte 0x61, 0x62], []]"},
	{"(ayay)", "780002", NewTuple(NewBytes([]byte("x\x00")), NewBytes(nil)), "(b'x', @ay [])"},
	{"a{su}", "6b000000050000000209", NewArray("{su}", NewEntry(str("k"), NewUint32(5))), "{'k': uint32 5}"},
	{"v", "010000000075", NewVariant(NewUint32(1)), "<uint32 1>"},
	{"a{sv}", "6b00000000000000760000" + "73020d", NewArray("{sv}", entry("k", str("v"))), "{'k': <'v'>}"},
	{"a{sv}", "61" + strings.Repeat("00", 7) + "010000000075" + "020062" + strings.Repeat("00", 7) + "010062020f1c",
		NewArray("{sv}", entry("a", NewUint32(1)), entry("b", NewBool(true))), "{'a': <uint32 1>, 'b': <true>}"},
	{"(yt)", "01" + strings.Repeat("00", 7) + "02" + strings.Repeat("00", 7), NewTuple(NewByte(1), NewUint64(2)), "(byte 0x01, uint64 2)"},
	{"as", strings.Repeat("78", 300) + "00" + "2d01", NewArray("s", str(strings.Repeat("x", 300))), "['" + strings.Repeat("x", 300) + "']"},
	{"a{sv}", "", NewArray("{sv}"), "@a{sv} {}"},
	{"(a(say)a(sayay))", "00", NewTuple(NewArray("(say)"), NewArray("(sayay)")), "(@a(say) [], @a(sayay) [])"},
}

func TestGolden(t *testing.T) {
	for _, g := range golden {
		want, err := hex.DecodeString(g.hex)
		if err != nil {
			t.Fatal(g.name, err)
		}
		if !bytes.Equal(g.value.Bytes(), want) || g.value.Type() != g.name {
			t.Errorf("built %s: got %s %x, want %x", g.name, g.value.Type(), g.value.Bytes(), want)
		}
		v, err := Parse(g.name, want)
		if err != nil {
			t.Errorf("parse %s: %v", g.name, err)
		} else if got := Print(v, true, false); got != g.text {
			t.Errorf("print %s: got %s, want %s", g.name, got, g.text)
		}
	}
}

func TestRefuse(t *testing.T) {
	for _, c := range []struct{ typ, hex, why string }{
		{"s", "", "no terminator"},
		{"s", "6869", "no terminator"},
		{"s", "68006900", "inner terminator"},
		{"s", "ff00", "bad UTF-8"},
		{"b", "02", "boolean of 2"},
		{"u", "000000", "short integer"},
		{"(su)", "610000010100000002", "dirty padding"},
		{"(ss)", "6100620009", "offset outside"},
		{"(ss)", "6100620000", "empty string"},
		{"as", "61006263000105", "unterminated element"},
		{"as", "61006263000502", "descending offsets"},
		{"as", "610002000300", "offsets wider than needed"},
		{"(us)", "01000000610000", "slack byte"},
		{"()", "01", "unit of 1"},
		{"v", "", "empty variant"},
		{"v", "010075", "variant of wrong size"},
		{"v", "0100000000757a", "variant of unknown type"},
		{"a{sv}", "6b00000000000000760000730213", "offset outside"},
		{"a(say)a", "00", "two types"},
		{"a{vs}", "", "variant key"},
		{"(a(say)a(sayay))", "f0", "offset outside"},
		{"(a(say)a(sayay))", "", "no offset"},
	} {
		data, err := hex.DecodeString(c.hex)
		if err != nil {
			t.Fatal(c.hex, err)
		}
		if _, err := Parse(c.typ, data); err == nil {
			t.Errorf("parse %s %s: accepted, want refusal (%s)", c.typ, c.hex, c.why)
		}
	}
}

func TestDepth(t *testing.T) {
	deep := NewByte(1)
	for range 200 {
		deep = NewVariant(deep)
	}
	if _, err := Parse("v", deep.Bytes()); err == nil {
		t.Error("200 nested variants accepted")
	}
	if _, err := Parse(strings.Repeat("a", 300)+"y", nil); err == nil {
		t.Error("300 nested arrays accepted")
	}
}

func TestLookup(t *testing.T) {
	v := NewArray("{sv}", entry("a", NewUint32(1)), entry("b", str("two")), entry("b", str("three")))
	if got, ok := v.Lookup("b"); !ok || got.Str() != "two" {
		t.Errorf("b is %v, %v, want the first of two", got, ok)
	}
	if _, ok := v.Lookup("c"); ok {
		t.Error("found a key that is not there")
	}
}

func TestPrintStrings(t *testing.T) {
	for in, want := range map[string]string{
		"it's":        `"it's"`,
		`a'b"c`:       `"a'b\"c"`,
		"tab\tnl\n\\": `'tab\tnl\n\\'`,
		"\x01é\u200b": `'\u0001é\u200b'`,
	} {
		if got := Print(str(in), false, false); got != want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
	}
	if got := Print(NewBytes([]byte("a'\xc3\n\x00")), true, false); got != `b"a'\303\n"` {
		t.Errorf("byte string: got %s", got)
	}
	if got := Print(NewUint32(7), false, true); got != "117440512" {
		t.Errorf("swapped 7: got %s", got)
	}
}

// rebuild serialises a value again from its children.
func rebuild(v Value) Value {
	var children []Value
	for i := range v.Len() {
		children = append(children, rebuild(v.At(i)))
	}
	switch v.typ[0] {
	case 'v':
		return NewVariant(children[0])
	case 'a':
		return NewArray(v.typ[1:], children...)
	case '(':
		return NewTuple(children...)
	case '{':
		return NewEntry(children[0], children[1])
	case 'm':
		return v
	}
	return v
}

// FuzzParse: what is accepted is the one serialisation of what it means.
func FuzzParse(f *testing.F) {
	for _, g := range golden {
		f.Add(g.name, g.value.Bytes())
	}
	f.Add("(a{sv}aya(say)sstayay)", golden[9].value.Bytes())
	f.Add("mas", []byte("a\x00\x02\x00"))
	f.Fuzz(func(t *testing.T, typ string, data []byte) {
		v, err := Parse(typ, data)
		if err != nil {
			return
		}
		again := rebuild(v)
		if again.Type() != typ || !bytes.Equal(again.Bytes(), data) {
			t.Fatalf("%s %x became %s %x", typ, data, again.Type(), again.Bytes())
		}
		Print(v, true, true)
	})
}

func BenchmarkParseDirtree(b *testing.B) {
	var files []Value
	for range 1500 {
		files = append(files, NewTuple(str("libsomething.so.1"), NewBytes(make([]byte, 32))))
	}
	data := NewTuple(NewArray("(say)", files...), NewArray("(sayay)")).Bytes()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := Parse("(a(say)a(sayay))", data); err != nil {
			b.Fatal(err)
		}
	}
}

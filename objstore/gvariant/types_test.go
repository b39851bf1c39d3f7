package gvariant

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"
)

// real holds values that the real ostree stored, and how its `show` printed
// them: with types where they are not plain, and with integers swapped.
var real = []struct{ typ, hex, text string }{
	{"n", "fbff", "int16 -1025"},
	{"q", "ffff", "uint16 65535"},
	{"i", "f9ffffff", "-100663297"},
	{"u", "07000000", "uint32 117440512"},
	{"x", "000efad5feffffff", "int64 4216446687117311"},
	{"t", "ffffffffffffffff", "uint64 18446744073709551615"},
	{"y", "0a", "byte 0x0a"},
	{"b", "01", "true"},
	{"b", "00", "false"},
	{"d", "000000000000f83f", "3.1398365858857059e-319"},
	{"d", "0000000000000080", "6.3240402667679558e-322"},
	{"d", "9c7500883ce4377e", "-1.3586411504376828e-171"},
	{"d", "9a9999999999b93f", "-1.5423487136675799e-180"},
	{"d", "0000000000000040", "3.1620201333839779e-322"},
	{"o", "2f612f625f3100", "objectpath '/a/b_1'"},
	{"g", "617b73767d2869692900", "signature 'a{sv}(ii)'"},
	{"mi", "05000000", "@mi 83886080"},
	{"mi", "", "@mi nothing"},
	{"ms", "780000", "@ms 'x'"},
	{"ms", "", "@ms nothing"},
	{"mmi", "00", "@mmi just nothing"},
	{"ams", "6100000303", "[@ms 'a', nothing]"},
	{"(i)", "01000000", "(16777216,)"},
	{"()", "00", "()"},
	{"ai", "", "@ai []"},
	{"an", "01000200", "[int16 256, 512]"},
	{"ad", "000000000000f03f0000000000000440", "[3.0386519416174186e-319, 5.3754342267527624e-321]"},
	{"a{us}", "01000000780006", "{uint32 16777216: 'x'}"},
	{"a{si}", "61000000010000000209", "{'a': 16777216}"},
	{"v", "646565700000730076", "<<'deep'>>"},
	{"(s(by)av)", "6100010100000000010000000069000062000073060c02", "('a', (true, byte 0x01), [<16777216>, <'b'>])"},
	{"ay", "627974657300", "b'bytes'"},
	{"ay", "0001", "[byte 0x00, 0x01]"},
	{"aay", "610062000204", "[b'a', b'b']"},
	{"ab", "0100", "[true, false]"},
	{"as", "", "@as []"},
	{"av", "01000000006906", "[<16777216>]"},
	{"a{sv}", "6b0000000000000004000000006d750210", "{'k': <@mu 67108864>}"},
	{"h", "03000000", "handle 50331648"},
	{"s", "c3bc0a092200", "'ü\\n\\t\"'"},
	{"a(is)", "0100000061000000020000006200060e", "[(16777216, 'a'), (33554432, 'b')]"},
	{"(yt)", "01000000000000000200000000000000", "(byte 0x01, uint64 144115188075855872)"},
	{"d", "000000000000f07f", "3.0418139617508026e-319"},
	{"d", "000000000000f87f", "3.1429986060190899e-319"},
	{"d", "00000054346f9d41", "1.7868229080428781e-312"},
	{"t", "0100000000000000", "uint64 72057594037927936"},
}

func TestReal(t *testing.T) {
	for _, r := range real {
		data, err := hex.DecodeString(r.hex)
		if err != nil {
			t.Fatal(err)
		}
		v, err := Parse(r.typ, data)
		if err != nil {
			t.Errorf("%s %s: %v", r.typ, r.hex, err)
			continue
		}
		if got := Print(v, true, true); got != r.text {
			t.Errorf("%s %s: printed as %s, want %s", r.typ, r.hex, got, r.text)
		}
		if got := rebuild(v); got.Type() != r.typ || !bytes.Equal(got.Bytes(), data) {
			t.Errorf("%s %s became %s %x", r.typ, r.hex, got.Type(), got.Bytes())
		}
	}
}

func TestRefuseTypes(t *testing.T) {
	for _, c := range []struct{ typ, data string }{
		{"o", "\x00"}, {"o", "a\x00"}, {"o", "/a/\x00"}, {"o", "//\x00"}, {"o", "/a-b\x00"}, {"o", "/ü\x00"},
		{"g", "a\x00"}, {"g", "(\x00"}, {"g", "z\x00"}, {"g", "{vs}\x00"}, {"g", "{s}\x00"}, {"g", "i"},
		{"mi", "\x01"}, {"mi", "\x01\x00\x00\x00\x00"}, {"ms", "a\x00\x01"}, {"ms", "\x00"}, {"mmi", "\x01"},
		{"ab", "\x00\x02"}, {"ai", "\x00\x00\x00\x00\x00"}, {"()", "\x00\x00"}, {"(yt)", "\x01\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00"},
		{"(ty)", strings.Repeat("\x00", 15) + "\x01"}, {"", ""}, {"r", ""}, {"a", ""}, {"{si}x", ""}, {"(", ""}, {"a{si", ""}, {"a{(s)i}", ""},
	} {
		if v, err := Parse(c.typ, []byte(c.data)); err == nil {
			t.Errorf("%s %q: accepted as %s", c.typ, c.data, Print(v, true, false))
		}
	}
	for _, c := range []struct{ typ, data string }{{"o", "/\x00"}, {"g", "\x00"}, {"g", "si(yy)\x00"}, {"mi", ""}, {"a()", "\x00\x00"}} {
		if _, err := Parse(c.typ, []byte(c.data)); err != nil {
			t.Errorf("%s %q: %v", c.typ, c.data, err)
		}
	}
}

// TestWidths: an array's offsets are as wide as its whole size demands, at every border.
func TestWidths(t *testing.T) {
	for body, w := range map[int]int{253: 1, 254: 2, 65531: 2, 65532: 4, 100000: 4} {
		v := NewArray("ay", NewBytes(bytes.Repeat([]byte("x"), body)), NewBytes(nil))
		data := v.Bytes()
		if len(data) != body+2*w {
			t.Errorf("a body of %d bytes has offsets of %d bytes, want %d", body, (len(data)-body)/2, w)
		}
		got, err := Parse("aay", data)
		if err != nil || got.Len() != 2 || len(got.At(0).ByteString()) != body || len(got.At(1).ByteString()) != 0 {
			t.Errorf("a body of %d bytes: %v", body, err)
		}
		for other := w; other <= 8; other *= 2 { // wider than needed
			wrong := bytes.Repeat([]byte("x"), body)
			for range 2 {
				wrong = append(wrong, binary.LittleEndian.AppendUint64(nil, uint64(body))[:other]...)
			}
			if _, err := Parse("aay", wrong); (err == nil) != (other == w) {
				t.Errorf("a body of %d bytes with offsets of %d: %v", body, other, err)
			}
		}
	}
}

func TestAccessors(t *testing.T) {
	for typ, data := range map[string]string{"q": "\x01\x02", "n": "\x01\x02"} {
		if v, err := Parse(typ, []byte(data)); err != nil || v.Uint16() != 0x0201 || v.Len() != 0 {
			t.Errorf("%s: %v", typ, err)
		}
	}
	v, err := Parse("(dbyut)", append(binary.LittleEndian.AppendUint64(nil, 0x3ff8000000000000), 1, 7, 0, 0, 9, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0))
	if err != nil || v.At(0).Float64() != 1.5 || !v.At(1).Bool() || v.At(2).Byte() != 7 || v.At(3).Uint32() != 9 || v.At(4).Uint64() != 5 {
		t.Errorf("%v", err)
	}
	if NewBool(false).Bool() || !NewBool(true).Bool() || (Value{}).Len() != 0 {
		t.Error("simple values are confused")
	}
	for _, i := range []int{-1, 5} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("there is a child %d", i)
				}
			}()
			v.At(i)
		}()
	}
}

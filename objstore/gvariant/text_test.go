package gvariant

import (
	"bytes"
	_ "embed"
	"fmt"
	"strings"
	"testing"
)

// textGolden is a text a line, and behind tabs what g_variant_parse of GLib
// 2.74 makes of it: type and bytes, or ERR and its message.
//
//go:embed testdata/text.tsv
var textGolden string

func textCases(t testing.TB) [][]string {
	var cases [][]string
	for line := range strings.Lines(textGolden) {
		line = strings.TrimSuffix(line, "\n")
		at := strings.LastIndexByte(line, '\t')
		typeAt := strings.LastIndexByte(line[:at], '\t')
		cases = append(cases, []string{line[:typeAt], line[typeAt+1 : at], line[at+1:]})
	}
	if len(cases) < 200 {
		t.Fatalf("%d texts", len(cases))
	}
	return cases
}

func TestParseText(t *testing.T) {
	for _, c := range textCases(t) {
		v, err := ParseText(c[0])
		typ, data := v.Type(), fmt.Sprintf("%x", v.Bytes())
		if err != nil {
			typ, data = "ERR", err.Error()
		}
		if typ != c[1] || data != c[2] {
			t.Errorf("%s became %s %s, want %s %s", c[0], typ, data, c[1], c[2])
		}
	}
}

// TestParseTextOwn: where GLib loses or can not take what the text says.
func TestParseTextOwn(t *testing.T) {
	for text, want := range map[string]string{
		`'\ud800'`:                              "3-7:invalid 4-character unicode escape",
		`'\U00110000'`:                          "3-11:invalid 8-character unicode escape",
		`b'a\0b'`:                               "0-7:a string can not hold a NUL",
		"'\xff'":                                "0-3:not valid UTF-8",
		"'a\x00'":                               "0-4:a string can not hold a NUL",
		"(1" + strings.Repeat(", 1", 299) + ")": "a type of 302 bytes, more than 255",
		strings.Repeat("[", 500):                "128:variant nested too deeply",
		"@" + strings.Repeat("a", 500) + "i []": "0-502:invalid type declaration",
	} {
		if _, err := ParseText(text); err == nil || err.Error() != want {
			t.Errorf("%.40q: %v, want %s", text, err, want)
		}
	}
}

func TestPrintedDoubles(t *testing.T) {
	for _, text := range []string{"inf", "-inf", "nan", "-nan", "5.0", "-0.0", "1e+100", "0.5", "4.9406564584124654e-324"} {
		v, err := ParseText(text)
		if err != nil || Print(v, true, false) != text {
			t.Errorf("%s is printed as %s, %v", text, Print(v, true, false), err)
		}
	}
}

// FuzzText: a value that a text gives is printed as a text that gives it.
func FuzzText(f *testing.F) {
	for _, c := range textCases(f) {
		f.Add(c[0])
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := ParseText(text)
		if err != nil {
			return
		}
		printed := Print(v, true, false)
		back, err := ParseText(printed)
		if err != nil && strings.Contains(err.Error(), "nested too deeply") {
			return // what names a type is a level of its own
		}
		if err != nil || back.Type() != v.Type() || !bytes.Equal(back.Bytes(), v.Bytes()) {
			t.Errorf("%q is %s %x, printed %s, which is %s %x, %v", text, v.Type(), v.Bytes(), printed, back.Type(), back.Bytes(), err)
		}
	})
}

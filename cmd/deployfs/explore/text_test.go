package explore

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
)

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"plain ä 日本":                       "plain ä 日本",
		"\x1b[31mred":                      `\x1b[31mred`,
		"a\tb":                             "a       b",
		"\xff\u009b":                       `\xff\u009b`,
		"\u202eevil":                       `\u202eevil`,
		"a\r\nb":                           `a\x0d\x0ab`,
		"\u0301x":                          `\u0301x`,
		"\U000e0001":                       `\U000e0001`,
		"e" + strings.Repeat("\u0301", 50): "e" + strings.Repeat("\u0301", maxMarks),
	} {
		if got := printable(in, 0, 100); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
	if got := printable(strings.Repeat("x", 1<<20), 0, 10); len(got) > 20 {
		t.Errorf("%d bytes for 10 columns", len(got))
	}
}

// FuzzDraw holds that a row fills its columns exactly, whatever it says.
func FuzzDraw(f *testing.F) {
	f.Add("日本\t語\x1b[2J", "e\u0301", 7, 3)
	f.Add("👩‍👩‍👧‍👦", "\xff", 1, 0)
	f.Fuzz(func(t *testing.T, a, b string, width, skip int) {
		width, skip = min(max(width, 0), 500), min(max(skip, 0), 500)
		out := sgr.ReplaceAllString(row{{text: a}, {b, red}}.draw(width, skip, ""), "")
		if got := ansi.StringWidth(out); got != width || strings.ContainsAny(out, "\x1b\r\n\x07") {
			t.Errorf("%q %q at %d from %d: %d columns, %q", a, b, width, skip, got, out)
		}
	})
}

func TestSize(t *testing.T) {
	for n, want := range map[uint64]string{0: "0", 99999: "99999", 100000: "97.7K", 1 << 20: "1.0M", 1024000: "1.0M", 1022976: "999.0K", 1<<64 - 1: "16.0E"} {
		if got := size(n); got != want || len(got) > 6 {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

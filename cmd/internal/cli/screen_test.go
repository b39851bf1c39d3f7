package cli

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestVisible(t *testing.T) {
	for text, want := range map[string]string{
		"ü 日本\tx\n": "ü 日本\tx\n", "\x1b[31mred": "^[[31mred", "\r\a\x7f\x00": "^M^G^?^@",
		"\u009b31m": `\302\23331m`, "\xff\x9b": `\377\233`, "\x00[31m": "^@[31m", "é"[:1]: `\303`,
	} {
		if got := Visible(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// onScreen is what a screen shows of text that comes in two pieces.
func onScreen(t *testing.T, text string, cut int) string {
	var out strings.Builder
	s := &screen{to: &out}
	for _, piece := range []string{text[:cut], text[cut:]} {
		if n, err := s.Write([]byte(piece)); n != len(piece) || err != nil {
			t.Fatal(n, err)
		}
	}
	if err := s.flush(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// FuzzScreen: however text is cut, a screen shows the same: colours, and nothing else that controls it.
func FuzzScreen(f *testing.F) {
	f.Add(string(Added)+"new\x1b[31m"+plain+"日本\xff\u009b", uint(3))
	f.Add("\x00[3", uint(2))
	f.Fuzz(func(t *testing.T, text string, cut uint) {
		whole := onScreen(t, text, 0)
		if parts := onScreen(t, text, int(cut%uint(len(text)+1))); parts != whole {
			t.Errorf("%q, cut: %q", whole, parts)
		}
		rest := whole
		for _, c := range colours {
			rest = strings.ReplaceAll(rest, "\x1b"+string(c)[1:], "")
		}
		odd := func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }
		if strings.IndexFunc(rest, odd) >= 0 || !utf8.ValidString(rest) {
			t.Errorf("%q is shown as %q", text, whole)
		}
	})
}

package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// screen writes text for a terminal, or for a pager in front of one. What would control it is made
// visible: names, messages and contents of a repository may be anybody's. Line breaks, tabs and the
// colours of [Invocation.Paint] stay.
type screen struct {
	to   io.Writer
	held []byte // the beginning of a character or of a colour
}

// Write writes all but what may be the beginning of something.
func (s *screen) Write(data []byte) (int, error) {
	text := append(s.held, data...)
	var out strings.Builder
	rest := mask(&out, string(text), false)
	s.held = append([]byte{}, rest...)
	_, err := io.WriteString(s.to, out.String())
	return len(data), err
}

// flush writes what was held back.
func (s *screen) flush() error {
	if len(s.held) == 0 {
		return nil
	}
	var out strings.Builder
	mask(&out, string(s.held), true)
	s.held = nil
	_, err := io.WriteString(s.to, out.String())
	return err
}

// Visible is text without what would control a terminal, but line breaks and tabs: control characters
// are written as "^X", what is no text as "\377".
func Visible(text string) string {
	var out strings.Builder
	mask(&out, strings.ReplaceAll(text, mark, "^@"), true)
	return out.String()
}

// mark begins a colour in what a verb prints; on a screen it is an escape character.
const mark = "\x00"

var colours = []Colour{Added, Removed, Place, Header, Commit, plain}

// mask makes text visible, as far as it is sure what it is; the rest is returned, unless it is the end.
func mask(out *strings.Builder, text string, end bool) (rest string) {
	for i := 0; i < len(text); {
		if text[i] == mark[0] {
			at := slices.IndexFunc(colours, func(c Colour) bool { return strings.HasPrefix(text[i:], string(c)) })
			switch {
			case at >= 0:
				out.WriteString("\x1b" + string(colours[at])[1:])
				i += len(colours[at])
				continue
			case !end && slices.ContainsFunc(colours, func(c Colour) bool { return strings.HasPrefix(string(c), text[i:]) }):
				return text[i:]
			}
		}
		if !end && !utf8.FullRuneInString(text[i:]) {
			return text[i:]
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		maskRune(out, r, text[i:i+size])
		i += size
	}
	return ""
}

func maskRune(out *strings.Builder, r rune, bytes string) {
	switch {
	case r < ' ' && r != '\n' && r != '\t', r == 0x7f:
		out.WriteString("^" + string('@'^r))
	case r > 0x7f && r <= 0x9f, r == utf8.RuneError && len(bytes) == 1:
		for _, b := range []byte(bytes) {
			fmt.Fprintf(out, `\%03o`, b)
		}
	default:
		out.WriteString(bytes)
	}
}

package explore

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// style is how a piece of text looks; the zero value is plain.
type style string

const (
	bold    style = "1"
	dim     style = "2"
	reverse style = "7"
	red     style = "31"
	green   style = "32"
	yellow  style = "33"
	blue    style = "1;34"
	cyan    style = "36"
	hit     style = "30;43"
)

// span is text in one style. It is made printable when it is drawn.
type span struct {
	text  string
	style style
}

// row is one line of a view.
type row []span

func line(text string) row { return row{{text: text}} }

// text is what the row says, as it was read.
func (r row) text() string {
	var b strings.Builder
	for _, s := range r {
		b.WriteString(s.text)
	}
	return b.String()
}

// draw makes the row exactly width columns wide, and leaves out skip columns at its left. With over
// set, all of it has that style.
func (r row) draw(width, skip int, over style) string {
	var b, shown strings.Builder
	used, column := 0, 0
	for _, s := range r {
		text := printable(s.text, column, skip+width-used)
		column += ansi.StringWidth(text)
		if cut := min(skip, ansi.StringWidth(text)); cut > 0 {
			text, skip = ansi.TruncateLeft(text, cut, ""), skip-cut
		}
		text = ansi.Truncate(text, width-used, "")
		used += ansi.StringWidth(text)
		if over != "" {
			s.style = over
		}
		shown.WriteString(text)
		b.WriteString(s.style.paint(text))
	}
	used = ansi.StringWidth(shown.String()) // less than the sum where a mark stands on the span before
	b.WriteString(over.paint(strings.Repeat(" ", max(0, width-used))))
	return b.String()
}

func (s style) paint(text string) string {
	if s == "" || text == "" {
		return text
	}
	return "\x1b[" + string(s) + "m" + text + "\x1b[m"
}

// tabWidth is the distance of tab stops, in columns.
const tabWidth = 8

// printable is text as it can be shown: what is no letter, mark, digit, symbol or blank of a single
// line, or would change what stands before it, is an escape that Go would read. It begins at a column, which matters to tabs, and ends
// where more than width columns are filled.
func printable(text string, at, width int) string {
	var b strings.Builder
	column, marks := 0, 0
	for i := 0; i < len(text) && column <= width; {
		r, n := utf8.DecodeRuneInString(text[i:])
		part := text[i : i+n]
		i += n
		switch {
		case r == '\t':
			part = strings.Repeat(" ", tabWidth-(at+column)%tabWidth)
		case r == utf8.RuneError && n == 1:
			part = fmt.Sprintf(`\x%02x`, part[0])
		case !unicode.IsPrint(r), unicode.Is(unicode.M, r) && b.Len() == 0: // a mark would stand on what is before
			part = escape(r)
		}
		if unicode.Is(unicode.M, r) {
			if marks++; marks > maxMarks {
				continue
			}
		} else {
			marks = 0
		}
		column += ansi.StringWidth(part)
		b.WriteString(part)
	}
	return b.String()
}

// maxMarks are the combining marks that may stand on one letter.
const maxMarks = 4

func escape(r rune) string {
	switch {
	case r < 0x80:
		return fmt.Sprintf(`\x%02x`, r)
	case r < 0x10000:
		return fmt.Sprintf(`\u%04x`, r)
	}
	return fmt.Sprintf(`\U%08x`, r)
}

// counted is a number of things in words.
func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprint(n, " ", many)
}

// size is a number of bytes in at most 6 columns.
func size(n uint64) string {
	if n < 100_000 {
		return fmt.Sprint(n)
	}
	value, unit := float64(n)/1024, 0
	for value >= 1000 {
		value, unit = value/1024, unit+1
	}
	return fmt.Sprintf("%.1f%c", value, "KMGTPE"[unit])
}

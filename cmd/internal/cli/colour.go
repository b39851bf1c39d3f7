package cli

import (
	"io"
	"os"
)

// Colour is how a piece of text stands out on a terminal. The values are git's.
type Colour string

const (
	Added   Colour = "\x1b[32m" // what is new
	Removed Colour = "\x1b[31m" // what is gone
	Place   Colour = "\x1b[36m" // where in a text something is
	Header  Colour = "\x1b[1m"  // what the lines below are about
	Commit  Colour = "\x1b[33m" // the line that names a commit
)

const plain = "\x1b[m"

// Colour reports whether Stdout may be coloured: it is a terminal that is not dumb, or a pager in
// front of one, and NO_COLOR is not set.
func (inv *Invocation) Colour() bool { return inv.colour }

// Paint is text, which holds no line break, in a colour where there are colours.
func (inv *Invocation) Paint(c Colour, text string) string {
	if !inv.colour || text == "" {
		return text
	}
	return string(c) + text + plain
}

// mayColour reports whether what is written to w may be coloured.
func mayColour(w io.Writer) bool {
	return isTerminal(w) && os.Getenv("NO_COLOR") == "" && !isDumb()
}

// isDumb reports whether the terminal can do no more than print.
func isDumb() bool {
	term := os.Getenv("TERM")
	return term == "" || term == "dumb"
}

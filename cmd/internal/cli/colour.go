package cli

import (
	"io"
	"os"
)

// Colour is how a piece of text stands out on a terminal. The values are git's, as a screen takes them.
type Colour string

const (
	Added   Colour = mark + "[32m" // what is new
	Removed Colour = mark + "[31m" // what is gone
	Place   Colour = mark + "[36m" // where in a text something is
	Header  Colour = mark + "[1m"  // what the lines below are about
	Commit  Colour = mark + "[33m" // the line that names a commit
)

const plain = mark + "[m"

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

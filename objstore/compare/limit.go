package compare

import "errors"

// Budget is how much more memory a list may take, about, in bytes: few objects can make a tree with
// more entries than there are atoms.
type Budget int

// MaxListed is the budget of one comparison.
const MaxListed Budget = 512 << 20

const (
	perByte      = 12   // what a byte of a patch takes until it is written somewhere
	perChange    = 512  // what a change takes beside its path
	perDirectory = 2048 // what a directory's totals take until they are printed
)

// ErrTooMany says that a budget is used up.
var ErrTooMany = errors.New("too many entries to list")

// Take fails when n bytes more are too many.
func (b *Budget) Take(n int) error {
	if *b -= Budget(n); *b < 0 {
		return ErrTooMany
	}
	return nil
}

// TakeChange fails when one change more is too much.
func (b *Budget) TakeChange(c Change) error { return b.Take(perChange + len(c.Path)) }

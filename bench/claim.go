package main

import "fmt"

const (
	// noise is how far two medians of the same thing may lie apart on a quiet machine.
	noise = 1.25
	// share of a checkout's time that a mount may take.
	share = 1.0 / 50
)

// claim is a sentence about the figures and whether they bear it out.
type claim struct {
	Text  string  `json:"claim"`
	Value float64 `json:"value"`
	Holds bool    `json:"holds"`
}

// claims checks what is promised about mounting; rows are those of askMount.
func (b *bench) claims() []claim {
	small, big, linked := b.rows[0].Cells[0].Values.median(), b.rows[1].Cells[0].Values.median(), b.rows[1].Cells[1].Values.median()
	size, replaced := big/small, big/linked
	return []claim{
		{fmt.Sprintf("To mount the big tree takes %.2f times as long as to mount the small one (no more than 1, within a noise of %.2f).", size, noise), size, size <= noise},
		{fmt.Sprintf("To mount the big tree takes 1/%.0f of the time of `ostree checkout -H` (less than 1/%.0f).", 1/replaced, 1/share), replaced, replaced < share},
	}
}

func (c claim) String() string {
	if c.Holds {
		return c.Text + " **It holds.**"
	}
	return c.Text + " **It does not hold.**"
}

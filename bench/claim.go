package main

import "fmt"

// noise is how far two medians of the same thing may lie apart on a quiet machine.
const noise = 1.25

// figure is a measured value that a goal bounds.
type figure struct {
	of    string // row, and what of it
	value float64
}

// goal bounds the figures that it takes out of the table.
type goal struct {
	text    string
	limit   float64
	write   func(float64) string
	figures func(rows []row) []figure
}

// claim is a goal beside the worst of its figures.
type claim struct {
	Text     string  `json:"claim"`
	Worst    string  `json:"worst,omitempty"` // what Value belongs to
	Value    float64 `json:"value"`
	Limit    float64 `json:"limit"`
	Measured bool    `json:"measured"`
	Holds    bool    `json:"holds"`

	write func(float64) string
}

// claims holds every goal against the rows.
func claims(goals []goal, rows []row) (list []claim) {
	for _, g := range goals {
		c := claim{Text: g.text, Limit: g.limit, write: g.write}
		for _, f := range g.figures(rows) {
			if !c.Measured || f.value > c.Value {
				c.Measured, c.Worst, c.Value = true, f.of, f.value
			}
		}
		c.Holds = c.Measured && c.Value <= c.Limit
		list = append(list, c)
	}
	return list
}

func (c claim) String() string {
	if !c.Measured {
		return fmt.Sprintf("%s: not measured.", c.Text)
	}
	verdict := "It holds."
	if !c.Holds {
		verdict = "It does not hold."
	}
	return fmt.Sprintf("%s: %s (%s). **%s**", c.Text, c.write(c.Value), c.Worst, verdict)
}

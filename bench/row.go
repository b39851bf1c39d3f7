package main

// unit is what a row's values are.
type unit string

const (
	seconds unit = "s"
	octets  unit = "bytes"
)

// row is a question about a tree and what each peer answered.
type row struct {
	ID    string `json:"id"`
	Tree  string `json:"tree"`
	Title string `json:"question"`
	Unit  unit   `json:"unit"`
	Cells []cell `json:"peers"`
	// Disturbed is how often another program dropped the machine's caches meanwhile.
	Disturbed int `json:"disturbed,omitempty"`
}

// cell is what one peer answered: a value and a number of requests for each round.
type cell struct {
	Peer     string `json:"peer"`
	Variant  string `json:"variant,omitempty"`
	Setting  string `json:"setting,omitempty"` // as the server tells
	Absent   string `json:"absent,omitempty"`  // why there is no answer
	Failed   string `json:"failed,omitempty"`  // error that ended the answer
	Values   sample `json:"values,omitempty"`
	Requests sample `json:"requests,omitempty"`

	// Parts of the values that are a server's memory, in bytes.
	Anonymous sample `json:"anonymous,omitempty"`
	Files     sample `json:"files,omitempty"`
	Shared    sample `json:"shared,omitempty"`
}

// add adds an answer of a peer whose server told old before and now after it.
func (c *cell) add(value float64, now, old status) {
	c.Values = append(c.Values, value)
	if now.PID != 0 {
		c.Requests = append(c.Requests, float64(now.Requests-old.Requests))
		c.Setting = now.setting()
	}
}

// wouldTake is the time of the answers so far and of one more, in seconds.
func (c *cell) wouldTake() (sum float64) {
	for _, v := range c.Values {
		sum += v
	}
	if n := len(c.Values); n > 0 {
		sum += c.Values[n-1]
	}
	return sum
}

// settle takes the first answer out of each cell that has others.
func (r *row) settle() {
	for i := range r.Cells {
		c := &r.Cells[i]
		if len(c.Values) > 1 {
			c.Values = c.Values[1:]
		}
		if len(c.Requests) > 1 {
			c.Requests = c.Requests[1:]
		}
	}
}

// base is the answer to which the others are related, or nil.
func (r *row) base() *cell { return r.cell(native, "") }

// cell is the answer of a peer that gave one, or nil.
func (r *row) cell(peer, variant string) *cell {
	for i, c := range r.Cells {
		if c.Peer == peer && c.Variant == variant && len(c.Values) > 0 && c.Failed == "" {
			return &r.Cells[i]
		}
	}
	return nil
}

// ratio relates an answer to the base; 0 if one of them is missing.
func (r *row) ratio(c *cell) float64 {
	base := r.base()
	if c == nil || base == nil || len(c.Values) == 0 || base.Values.median() == 0 {
		return 0
	}
	return c.Values.median() / base.Values.median()
}

// find is the row of a question about a tree, or nil.
func find(rows []row, id, tree string) *row {
	for i, r := range rows {
		if r.ID == id && r.Tree == tree {
			return &rows[i]
		}
	}
	return nil
}

package explore

import "context"

// page is what is on the screen.
type page struct {
	rows   []part
	off    int64
	height int
	hex    int
	missed string // a query that was not found
	err    error
}

// step is a way to another page.
type step struct {
	rows      int // forward or back
	first     bool
	last      bool
	query     query
	direction int
	here      bool // the query may be in the first row
}

// turn is the page to which a step leads from off.
func (p pager) turn(ctx context.Context, todo step, off int64, height int) (out page) {
	out.height, out.hex = height, p.hex
	off, out.err = p.begin(ctx, min(off, max(0, p.content.size-1)))
	switch {
	case out.err != nil:
		return out
	case todo.first:
		off = 0
	case todo.last:
		off, out.err = p.last(ctx, height)
	case todo.query.text != "":
		off, out.missed, out.err = p.seek(ctx, todo, off)
	case todo.rows != 0:
		off, out.err = p.walk(ctx, off, todo.rows)
	}
	if out.err == nil {
		out.rows, out.err = p.rows(ctx, off, height)
	}
	if gap := height - len(out.rows); out.err == nil && gap > 0 && off > 0 && todo.query.text == "" {
		if off, out.err = p.walk(ctx, off, -gap); out.err == nil { // the page is full where it can be
			out.rows, out.err = p.rows(ctx, off, height)
		}
	}
	out.off = off
	return out
}

// seek is where the row begins that holds the query next, and what was not found.
func (p pager) seek(ctx context.Context, todo step, off int64) (int64, string, error) {
	from := off
	if !todo.here && todo.direction > 0 {
		next, err := p.walk(ctx, off, 1)
		if err != nil || next == off {
			return off, todo.query.text, err
		}
		from = next
	}
	at, err := p.find(ctx, todo.query, from, todo.direction)
	if err != nil || at < 0 {
		return off, todo.query.text, err
	}
	at, err = p.begin(ctx, at)
	return at, "", err
}

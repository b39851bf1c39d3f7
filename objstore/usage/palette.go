package usage

import "encoding/binary"

// set is a set of colours, by its number in a palette. 0 is the empty set.
type set uint32

// maxUnions bounds how many unions are remembered.
const maxUnions = 1 << 18

// palette holds the sets of colours that occur, each once. A set is written as
// runs of colours, each as how far it begins behind the end of the one before and
// how long it is: histories that share a trunk give few and long ones.
type palette struct {
	sets   []string
	known  map[string]set
	unions map[[2]set]set // that were asked for lately
	buffer []byte
}

func newPalette() *palette {
	p := &palette{known: map[string]set{}, unions: map[[2]set]set{}}
	p.intern(nil)
	return p
}

// intern finds a set, or takes it in.
func (p *palette) intern(text []byte) set {
	if s, ok := p.known[string(text)]; ok {
		return s
	}
	s := set(len(p.sets))
	p.sets = append(p.sets, string(text))
	p.known[p.sets[s]] = s
	return s
}

// run is colours from one on, up to but not including another.
type run struct{ from, to int }

// next reads the first run of text, which follows on one that ended at end; false
// when there is none.
func next(text string, end int) (r run, rest string, ok bool) {
	if text == "" {
		return r, "", false
	}
	gap, n := uvarint(text)
	length, m := uvarint(text[n:])
	r.from = end + gap
	r.to = r.from + length
	return r, text[n+m:], true
}

func uvarint(text string) (value, size int) {
	for {
		b := text[size]
		value |= int(b&0x7f) << (7 * size)
		size++
		if b < 0x80 {
			return value, size
		}
	}
}

// append writes a run behind one that ended at end.
func (r run) append(text []byte, end int) []byte {
	text = binary.AppendUvarint(text, uint64(r.from-end))
	return binary.AppendUvarint(text, uint64(r.to-r.from))
}

// only is the set of one colour.
func (p *palette) only(colour int) set {
	return p.intern(run{colour, colour + 1}.append(nil, 0))
}

// union is the set of what is in either.
func (p *palette) union(a, b set) set {
	switch {
	case a == b || b == 0:
		return a
	case a == 0:
		return b
	case a > b:
		a, b = b, a
	}
	if s, ok := p.unions[[2]set{a, b}]; ok {
		return s
	}
	p.buffer = merge(p.buffer[:0], p.sets[a], p.sets[b])
	s := p.intern(p.buffer)
	if len(p.unions) == maxUnions {
		clear(p.unions)
	}
	p.unions[[2]set{a, b}] = s
	return s
}

// merge writes the union of two sets that are not empty.
func merge(text []byte, a, b string) []byte {
	x, a, inA := next(a, 0)
	y, b, inB := next(b, 0)
	var now run // is being made
	end := 0    // of what is written
	for inA || inB {
		var r run
		if inA && (!inB || x.from <= y.from) {
			r = x
			x, a, inA = next(a, x.to)
		} else {
			r = y
			y, b, inB = next(b, y.to)
		}
		switch {
		case now.to == 0:
			now = r
		case r.from > now.to:
			text = now.append(text, end)
			now, end = r, now.to
		default:
			now.to = max(now.to, r.to)
		}
	}
	return now.append(text, end)
}

// runs visits the runs of a set until visit returns false.
func (p *palette) runs(s set, visit func(run) bool) {
	r, rest, ok := next(p.sets[s], 0)
	for ok && visit(r) {
		r, rest, ok = next(rest, r.to)
	}
}

// has reports whether a colour is in a set.
func (p *palette) has(s set, colour int) (found bool) {
	p.runs(s, func(r run) bool {
		found = r.from <= colour && colour < r.to
		return colour >= r.to
	})
	return found
}

// each visits the colours of a set that are smaller than below.
func (p *palette) each(s set, below int, visit func(colour int)) {
	p.runs(s, func(r run) bool {
		for colour := r.from; colour < min(r.to, below); colour++ {
			visit(colour)
		}
		return r.to < below
	})
}

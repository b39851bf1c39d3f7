package xz

import "deployfs/objstore/delta/prefix"

// ahead is how many bytes are parsed at once, at most, but for a long match at their end.
const ahead = 4096

// literal is the back of a symbol that is a byte.
const literal = 1<<32 - 1

// symbol is what is written for some bytes: a byte (literal), a match at one of the last four
// distances (0 to 3; of length 1 only 0), or at another (4 more than that is).
type symbol struct {
	back   uint32
	length int
}

// history is what a symbol's cost depends on: what was written before it.
type history struct {
	state uint8
	reps  [4]uint32 // the last distances
}

// after is the history after another symbol.
func (h history) after(s symbol) history {
	switch {
	case s.back == literal:
		h.state = stateLiteral[h.state]
	case s.back == 0 && s.length == 1:
		h.state = stateShortRep[h.state]
	case s.back < 4:
		dist := h.reps[s.back]
		copy(h.reps[1:s.back+1], h.reps[:s.back])
		h.reps[0] = dist
		h.state = stateRep[h.state]
	default:
		copy(h.reps[1:], h.reps[:3])
		h.reps[0] = s.back - 4
		h.state = stateMatch[h.state]
	}
	return h
}

// node is the cheapest way that was found to some place: from where, and by what. With a tail that
// is first a symbol, if there is room for one, then a literal, then a match of so many bytes at
// the last distance.
type node struct {
	history
	price uint32
	from  int32
	back  uint32
	tail  int32
}

// parser finds the symbols for bytes, some at a time.
type parser struct {
	data    []byte
	finder  *finder
	model   *model
	prices  prices
	nodes   []node
	end     int      // the last node that is reached
	symbols []symbol // the last one first
}

func newParser(data []byte, window int, m *model) *parser {
	return &parser{data: data, finder: newFinder(data, window), model: m, nodes: make([]node, ahead+maxMatch+2)}
}

// parse returns the next symbols, the last one first; h is what was written before.
func (p *parser) parse(h history) []symbol {
	start := p.finder.at
	p.end = 0
	p.nodes[0] = node{history: h}
	for i := 0; i < ahead && (i == 0 || i < p.end); i++ {
		if i > 0 {
			p.settle(i)
		}
		matches := p.finder.next()
		if long := p.long(start+i, &p.nodes[i].history, i, matches); long.length > 0 {
			p.finder.skip(long.length - 1)
			return p.collect(i, long)
		}
		p.extend(i, start+i, matches)
	}
	last := min(p.end, ahead)
	return p.collect(last, symbol{})
}

// settle computes the history at a node, now that the way to it is known.
func (p *parser) settle(i int) {
	n := &p.nodes[i]
	h := p.nodes[n.from].history
	first := i - int(n.from)
	if n.tail > 0 {
		if first -= int(n.tail) + 1; first > 0 {
			h = h.after(symbol{n.back, first})
		}
		h = h.after(symbol{literal, 1})
		h.state = stateRep[h.state]
	} else {
		h = h.after(symbol{n.back, first})
	}
	n.history = h
}

// long returns a match that is so long that it is taken without a look at others.
func (p *parser) long(at int, h *history, i int, matches []match) symbol {
	if i == 0 && at > 0 {
		best := symbol{}
		for r, dist := range h.reps {
			if n := p.length(at, dist, maxMatch); n > best.length {
				best = symbol{uint32(r), n}
			}
		}
		if best.length >= nice {
			return best
		}
	}
	if n := len(matches); n > 0 && matches[n-1].length >= nice {
		return symbol{matches[n-1].dist + 4, matches[n-1].length}
	}
	return symbol{}
}

// length is how many bytes are the same at some distance, up to most.
func (p *parser) length(at int, dist uint32, most int) int {
	from := at - int(dist) - 1
	if from < 0 {
		return 0
	}
	return prefix.Shared(p.data[at:min(at+most, len(p.data))], p.data[from:])
}

// collect returns the symbols on the way to a node and one more, if it is one.
func (p *parser) collect(i int, last symbol) []symbol {
	p.symbols = p.symbols[:0]
	if last.length > 0 {
		p.symbols = append(p.symbols, last)
	}
	for i > 0 {
		n := &p.nodes[i]
		first := i - int(n.from)
		if n.tail > 0 {
			p.symbols = append(p.symbols, symbol{0, int(n.tail)}, symbol{literal, 1})
			first -= int(n.tail) + 1
		}
		if first > 0 {
			p.symbols = append(p.symbols, symbol{n.back, first})
		}
		i = int(n.from)
	}
	return p.symbols
}

// reach offers a way to a node.
func (p *parser) reach(to int, price uint32, from int, back uint32, tail int) {
	for p.end < to {
		p.end++
		p.nodes[p.end].price = infinite
	}
	if n := &p.nodes[to]; price < n.price {
		n.price, n.from, n.back, n.tail = price, int32(from), back, int32(tail)
	}
}

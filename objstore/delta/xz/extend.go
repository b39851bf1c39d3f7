package xz

// step is a place from which ways go on.
type step struct {
	history
	i, at    int // the node, and its place
	position int
	before   byte   // the byte before
	same     byte   // the byte at the last distance
	price    uint32 // up to here
	room     int    // bytes that matches may have
}

// extend offers all ways that go on from a node.
func (p *parser) extend(i, at int, matches []match) {
	n := &p.nodes[i]
	s := step{history: n.history, i: i, at: at, position: at % positions, price: n.price, room: min(len(p.data)-at, nice)}
	if at == 0 {
		p.reach(1, p.model.literalPrice(0, 0, 0, p.data[0]), 0, literal, 0)
		return
	}
	s.before = p.data[at-1]
	s.same = s.before
	if from := at - int(s.reps[0]) - 1; from >= 0 {
		s.same = p.data[from]
	}
	p.single(&s)
	if s.room < minMatch {
		return
	}
	longest := p.repeat(&s)
	p.other(&s, matches, longest)
}

// single offers a literal, with what may follow it, and the repetition of one byte.
func (p *parser) single(s *step) {
	m := p.model
	price := s.price + price0(m.isMatch[s.state][s.position]) + m.literalPrice(s.state, s.before, s.same, p.data[s.at])
	p.reach(s.i+1, price, s.i, literal, 0)
	if p.data[s.at] == s.same {
		short := s.price + price1(m.isMatch[s.state][s.position]) + price1(m.isRep[s.state]) + price0(m.isRep0[s.state]) + price0(m.isRep0Long[s.state][s.position])
		p.reach(s.i+1, short, s.i, 0, 0)
		return
	}
	p.tail(s, s.history, 0, literal, s.price)
}

// repeat offers matches at the last distances, and returns the length of the longest.
func (p *parser) repeat(s *step) (longest int) {
	m := p.model
	base := s.price + price1(m.isMatch[s.state][s.position]) + price1(m.isRep[s.state])
	for r, dist := range s.reps {
		length := p.length(s.at, dist, s.room)
		if length < minMatch {
			continue
		}
		longest = max(longest, length)
		price := base + m.repPrice(r, s.state, s.position)
		for n := minMatch; n <= length; n++ {
			p.reach(s.i+n, price+p.prices.rep[s.position][n], s.i, uint32(r), 0)
		}
		p.tail(s, s.history.after(symbol{uint32(r), length}), length, uint32(r), price+p.prices.rep[s.position][length])
	}
	return longest
}

// repPrice is that of which of the last distances it is.
func (m *model) repPrice(r int, state uint8, position int) uint32 {
	switch r {
	case 0:
		return price0(m.isRep0[state]) + price1(m.isRep0Long[state][position])
	case 1:
		return price1(m.isRep0[state]) + price0(m.isRep1[state])
	case 2:
		return price1(m.isRep0[state]) + price1(m.isRep1[state]) + price0(m.isRep2[state])
	}
	return price1(m.isRep0[state]) + price1(m.isRep1[state]) + price1(m.isRep2[state])
}

// other offers matches at other distances: for each length the nearest. Those that are no longer
// than one at a last distance are not worth it.
func (p *parser) other(s *step, matches []match, longest int) {
	m := p.model
	base := s.price + price1(m.isMatch[s.state][s.position]) + price0(m.isRep[s.state])
	n := max(minMatch, longest+1)
	for _, match := range matches {
		for ; n <= match.length; n++ {
			price := base + p.prices.match[s.position][n] + p.prices.distance(match.dist, n)
			p.reach(s.i+n, price, s.i, match.dist+4, 0)
			if n == match.length {
				p.tail(s, s.history.after(symbol{match.dist + 4, n}), n, match.dist+4, price)
			}
		}
	}
}

// tail offers to go on, after a symbol of some length or none, with a literal and then at the last
// distance.
func (p *parser) tail(s *step, h history, length int, back, before uint32) {
	at := s.at + length // of the literal
	from := at - int(h.reps[0]) - 1
	if at+1+minMatch > len(p.data) || from < 0 {
		return
	}
	n := p.length(at+1, h.reps[0], nice)
	if n < minMatch || s.i+length+1+n > ahead {
		return
	}
	m := p.model
	position := at % positions
	price := before + price0(m.isMatch[h.state][position]) + m.literalPrice(h.state, p.data[at-1], p.data[from], p.data[at])
	state, position := stateLiteral[h.state], (at+1)%positions
	price += price1(m.isMatch[state][position]) + price1(m.isRep[state]) + m.repPrice(0, state, position) + p.prices.rep[position][n]
	p.reach(s.i+length+1+n, price, s.i, back, n)
}

package xz

// encoder writes symbols.
type encoder struct {
	model
	coder rangeCoder
	data  []byte
	at    int // bytes that are written
	past  history
}

// write writes a symbol.
func (e *encoder) write(s symbol) {
	position := e.at % positions
	state := e.past.state
	if s.back == literal {
		e.coder.bit(&e.isMatch[state][position], 0)
		e.literal(state)
	} else {
		e.coder.bit(&e.isMatch[state][position], 1)
		if s.back < 4 {
			e.coder.bit(&e.isRep[state], 1)
			e.rep(s, state, position)
		} else {
			e.coder.bit(&e.isRep[state], 0)
			e.matchLengths.encode(&e.coder, s.length, position)
			e.distance(s.back-4, s.length)
		}
	}
	e.past = e.past.after(s)
	e.at += s.length
}

// literal writes the next byte.
func (e *encoder) literal(state uint8) {
	before := byte(0)
	if e.at > 0 {
		before = e.data[e.at-1]
	}
	probs := e.model.literal[before>>(8-lc)][:]
	if state < afterMatch {
		e.coder.tree(probs, 8, uint32(e.data[e.at]))
		return
	}
	same := uint32(e.data[e.at-int(e.past.reps[0])-1])
	offset, s := uint32(0x100), uint32(e.data[e.at])|0x100
	for s < 0x10000 {
		same <<= 1
		e.coder.bit(&probs[offset+same&offset+s>>8], s>>7&1)
		s <<= 1
		offset &= ^(same ^ s)
	}
}

// rep writes a match at one of the last distances.
func (e *encoder) rep(s symbol, state uint8, position int) {
	if s.back == 0 {
		e.coder.bit(&e.isRep0[state], 0)
		if s.length == 1 {
			e.coder.bit(&e.isRep0Long[state][position], 0)
			return
		}
		e.coder.bit(&e.isRep0Long[state][position], 1)
	} else {
		e.coder.bit(&e.isRep0[state], 1)
		if s.back == 1 {
			e.coder.bit(&e.isRep1[state], 0)
		} else {
			e.coder.bit(&e.isRep1[state], 1)
			e.coder.bit(&e.isRep2[state], s.back-2)
		}
	}
	e.repLengths.encode(&e.coder, s.length, position)
}

// distance writes that of a match.
func (e *encoder) distance(dist uint32, length int) {
	slot := slotOf(dist)
	e.coder.tree(e.slot[lengthKind(length)][:], slotBits, slot)
	base, more := slotBase(slot)
	switch rest := dist - base; {
	case more == 0:
	case slot < fullSlots:
		e.coder.reverse(e.special[slot][:], more, rest)
	default:
		e.coder.direct(rest>>alignBits, more-alignBits)
		e.coder.reverse(e.align[:], alignBits, rest&(1<<alignBits-1))
	}
}

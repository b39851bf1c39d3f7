package xz

import "math/bits"

const (
	minMatch = 2
	maxMatch = 273

	lc          = 3 // bits of the byte before that a literal's probabilities depend on
	positions   = 4 // what others depend on: the place, modulo this
	states      = 12
	afterMatch  = 7 // states from this on: the last symbol was no literal
	lengthKinds = 4 // lengths that distances depend on
	slotBits    = 6
	slots       = 1 << slotBits
	alignBits   = 4
	firstSlot   = 4  // the first slot that has more bits
	fullSlots   = 14 // from this slot on the middle bits are as likely as not
	fullDist    = 1 << (fullSlots / 2)
)

// lengths are the probabilities of lengths.
type lengths struct {
	choice, choice2 uint16
	low, mid        [positions][8]uint16
	high            [256]uint16
}

// model is what the coder has learned: of each bit, how likely it is 0.
type model struct {
	isMatch, isRep0Long           [states][positions]uint16
	isRep, isRep0, isRep1, isRep2 [states]uint16
	literal                       [1 << lc][0x300]uint16
	slot                          [lengthKinds][slots]uint16
	special                       [fullSlots][1 << (fullSlots/2 - 2)]uint16 // by slot
	align                         [1 << alignBits]uint16
	matchLengths, repLengths      lengths
}

// reset forgets all.
func (m *model) reset() {
	fill := func(probs []uint16) {
		for i := range probs {
			probs[i] = probStart
		}
	}
	for i := range states {
		fill(m.isMatch[i][:])
		fill(m.isRep0Long[i][:])
	}
	fill(m.isRep[:])
	fill(m.isRep0[:])
	fill(m.isRep1[:])
	fill(m.isRep2[:])
	for i := range m.literal {
		fill(m.literal[i][:])
	}
	for i := range m.slot {
		fill(m.slot[i][:])
	}
	for i := range m.special {
		fill(m.special[i][:])
	}
	fill(m.align[:])
	for _, l := range []*lengths{&m.matchLengths, &m.repLengths} {
		l.choice, l.choice2 = probStart, probStart
		for i := range positions {
			fill(l.low[i][:])
			fill(l.mid[i][:])
		}
		fill(l.high[:])
	}
}

// What the state becomes.
var (
	stateLiteral  = [states]uint8{0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 4, 5}
	stateMatch    = [states]uint8{7, 7, 7, 7, 7, 7, 7, 10, 10, 10, 10, 10}
	stateRep      = [states]uint8{8, 8, 8, 8, 8, 8, 8, 11, 11, 11, 11, 11}
	stateShortRep = [states]uint8{9, 9, 9, 9, 9, 9, 9, 11, 11, 11, 11, 11}
)

// slotOf is the slot of a distance, counted from 0 on: its highest two bits and their place.
func slotOf(dist uint32) uint32 {
	if dist < firstSlot {
		return dist
	}
	n := uint32(bits.Len32(dist)) - 1
	return n<<1 | dist>>(n-1)&1
}

// slotBase is the first distance of a slot, and how many more bits tell which one it is.
func slotBase(slot uint32) (base uint32, more int) {
	if slot < firstSlot {
		return slot, 0
	}
	more = int(slot>>1) - 1
	return (2 | slot&1) << more, more
}

// lengthKind is which of the probabilities for distances go with a length.
func lengthKind(length int) int { return min(length-minMatch, lengthKinds-1) }

// add learns from a length, and writes it.
func (l *lengths) encode(c *rangeCoder, length, position int) {
	switch n := uint32(length - minMatch); {
	case n < 8:
		c.bit(&l.choice, 0)
		c.tree(l.low[position][:], 3, n)
	case n < 16:
		c.bit(&l.choice, 1)
		c.bit(&l.choice2, 0)
		c.tree(l.mid[position][:], 3, n-8)
	default:
		c.bit(&l.choice, 1)
		c.bit(&l.choice2, 1)
		c.tree(l.high[:], 8, n-16)
	}
}

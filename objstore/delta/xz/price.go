package xz

import "math"

// A price is how many bits a symbol takes, in sixteenths of one.
const (
	priceShift = 4
	priceBits  = 4 // of a probability that do not count
	infinite   = math.MaxUint32 >> 2
)

// bitPrices are those of a bit by the probability of its value.
var bitPrices = func() (t [1 << (probBits - priceBits)]uint32) {
	for i := range t {
		p := (float64(i) + 0.5) / float64(len(t))
		t[i] = uint32(math.Round(-math.Log2(p) * (1 << priceShift)))
	}
	return t
}()

func price0(prob uint16) uint32 { return bitPrices[prob>>priceBits&(1<<(probBits-priceBits)-1)] }
func price1(prob uint16) uint32 {
	return bitPrices[(1<<probBits-1-prob)>>priceBits&(1<<(probBits-priceBits)-1)]
}

func price(prob uint16, bit uint32) uint32 {
	return price0(prob ^ uint16(-bit)&(1<<probBits-1))
}

// treePrice is that of the lowest bits of a symbol, the highest first.
func treePrice(probs []uint16, bits int, symbol uint32) (sum uint32) {
	symbol |= 1 << bits
	for symbol > 1 {
		sum += price(probs[symbol>>1], symbol&1)
		symbol >>= 1
	}
	return sum
}

// reversePrice is that of the lowest bits, the lowest first.
func reversePrice(probs []uint16, bits int, symbol uint32) (sum uint32) {
	at := uint32(1)
	for range bits {
		bit := symbol & 1
		symbol >>= 1
		sum += price(probs[at], bit)
		at = at<<1 | bit
	}
	return sum
}

// prices are those that are used often, as the model had them some symbols ago.
type prices struct {
	match, rep [positions][maxMatch + 1]uint32 // by length
	near       [lengthKinds][fullDist]uint32   // by distance
	slot       [lengthKinds][slots]uint32      // of distances that are further
	align      [1 << alignBits]uint32
}

// refresh computes all.
func (p *prices) refresh(m *model) {
	m.matchLengths.prices(&p.match)
	m.repLengths.prices(&p.rep)
	for low := range uint32(1 << alignBits) {
		p.align[low] = reversePrice(m.align[:], alignBits, low)
	}
	for kind := range lengthKinds {
		for slot := range uint32(slots) {
			p.slot[kind][slot] = treePrice(m.slot[kind][:], slotBits, slot)
			if slot >= fullSlots {
				_, more := slotBase(slot)
				p.slot[kind][slot] += uint32(more-alignBits) << priceShift
			}
		}
	}
	for dist := range uint32(fullDist) {
		slot := slotOf(dist)
		base, more := slotBase(slot)
		rest := reversePrice(m.special[slot][:], more, dist-base)
		for kind := range lengthKinds {
			p.near[kind][dist] = p.slot[kind][slot] + rest
		}
	}
}

// prices computes those of all lengths.
func (l *lengths) prices(t *[positions][maxMatch + 1]uint32) {
	short, longer := price0(l.choice), price1(l.choice)
	mid, high := longer+price0(l.choice2), longer+price1(l.choice2)
	for position := range positions {
		row := &t[position]
		for n := range uint32(8) {
			row[minMatch+n] = short + treePrice(l.low[position][:], 3, n)
			row[minMatch+8+n] = mid + treePrice(l.mid[position][:], 3, n)
		}
	}
	for n := range uint32(256) {
		price := high + treePrice(l.high[:], 8, n)
		for position := range positions {
			t[position][minMatch+16+n] = price
		}
	}
}

// distance is the price of a distance with a match of some length.
func (p *prices) distance(dist uint32, length int) uint32 {
	kind := lengthKind(length)
	if dist < fullDist {
		return p.near[kind][dist]
	}
	return p.slot[kind][slotOf(dist)] + p.align[dist&(1<<alignBits-1)]
}

// literal is the price of a byte; before is the one before it, and match that at the last
// distance, which counts in the states after a match.
func (m *model) literalPrice(state uint8, before, match, symbol byte) (sum uint32) {
	probs := &m.literal[before>>(8-lc)]
	s := uint32(symbol) | 0x100
	if state < afterMatch {
		for s > 1 {
			sum += price(probs[s>>1], s&1)
			s >>= 1
		}
		return sum
	}
	offset, mb := uint32(0x100), uint32(match)
	for s < 0x10000 {
		mb <<= 1
		sum += price(probs[offset+mb&offset+s>>8], s>>7&1)
		s <<= 1
		offset &= ^(mb ^ s)
	}
	return sum
}

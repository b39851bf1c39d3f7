package usage

import (
	"encoding/binary"
	"math/bits"
)

// set is a set of colours, by its number in a palette. 0 is the empty set.
type set uint32

// palette holds the sets of colours that occur, each once.
type palette struct {
	words  int // of 64 colours, in each set
	sets   [][]uint64
	known  map[string]set // by the set's words
	unions map[[2]set]set
}

// newPalette is for so many colours, which are numbered from 0 on.
func newPalette(colours int) *palette {
	words := (colours + 63) / 64
	p := &palette{words: words, known: map[string]set{}, unions: map[[2]set]set{}}
	p.intern(make([]uint64, words))
	return p
}

// intern finds a set, or takes it in.
func (p *palette) intern(words []uint64) set {
	key := make([]byte, 0, 8*p.words)
	for _, word := range words {
		key = binary.LittleEndian.AppendUint64(key, word)
	}
	if s, ok := p.known[string(key)]; ok {
		return s
	}
	s := set(len(p.sets))
	p.sets = append(p.sets, words)
	p.known[string(key)] = s
	return s
}

// only is the set of one colour.
func (p *palette) only(colour int) set {
	words := make([]uint64, p.words)
	words[colour/64] = 1 << (colour % 64)
	return p.intern(words)
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
	words := make([]uint64, p.words)
	for i := range words {
		words[i] = p.sets[a][i] | p.sets[b][i]
	}
	s := p.intern(words)
	p.unions[[2]set{a, b}] = s
	return s
}

// has reports whether a colour is in a set.
func (p *palette) has(s set, colour int) bool { return p.sets[s][colour/64]&(1<<(colour%64)) != 0 }

// each visits the colours of a set that are smaller than below.
func (p *palette) each(s set, below int, visit func(colour int)) {
	for i, word := range p.sets[s] {
		for ; word != 0; word &= word - 1 {
			if colour := 64*i + bits.TrailingZeros64(word); colour < below {
				visit(colour)
			}
		}
	}
}

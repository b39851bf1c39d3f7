package bsdiff

import "deployfs/objstore/delta/scratch"

// symbol is what the suffixes consist of: bytes, and in the recursion names of substrings.
type symbol interface{ byte | int32 }

// none marks a place of a suffix array that holds no suffix yet.
const none = -1

// sortSuffixes fills sa, which is as long as text, with the places of text's suffixes in their
// order. Symbols are below count. It is the method SA-IS (Nong, Zhang, Chan: "Two Efficient
// Algorithms for Linear Time Suffix Array Construction"): the suffixes that are smaller than both
// of their neighbours are sorted by recursion, and all others are induced from them. Time is
// linear whatever the text; memory beyond sa is an integer for each symbol, which in the recursion
// is at most half an integer for each byte of the text.
func sortSuffixes[T symbol](text []T, sa []int32, count int) {
	if len(text) < 2 {
		clear(sa)
		return
	}
	at, free := scratch.Int32s(count)
	b := &buckets[T]{text, at}
	minima := b.placeMinima(sa)
	b.induce(sa)
	free() // the recursion may need the memory
	if minima < 2 {
		return
	}
	names := nameMinima(text, sa, minima)
	sortMinima(text, sa, minima, names)
	b.at, free = scratch.Int32s(count)
	b.spread(sa, minima)
	b.induce(sa)
	free()
}

// buckets knows where in a suffix array the suffixes begin that start with some symbol.
type buckets[T symbol] struct {
	text []T
	at   []int32 // the next free place for each symbol
}

// starts sets the places to the first of each bucket.
func (b *buckets[T]) starts() {
	b.ends()
	sum := int32(0)
	for c, end := range b.at {
		b.at[c] = sum
		sum = end
	}
}

// ends sets the places behind the last of each bucket.
func (b *buckets[T]) ends() {
	clear(b.at)
	for _, c := range b.text {
		b.at[c]++
	}
	sum := int32(0)
	for c, n := range b.at {
		sum += n
		b.at[c] = sum
	}
}

// eachMinimum calls f for each local minimum from the right: a suffix that is smaller than the
// one behind it, which the one before it is not. The end of the text counts as the smallest.
func eachMinimum[T symbol](text []T, f func(place int32)) {
	rising := false // whether the suffix at i+1 is smaller than the one behind it
	for i := len(text) - 2; i >= 0; i-- {
		switch {
		case text[i] < text[i+1]:
			rising = true
		case text[i] > text[i+1]:
			if rising {
				f(int32(i + 1))
			}
			rising = false
		}
	}
}

// placeMinima puts the local minima at the ends of their buckets, in no order but that of their
// first symbols, and returns how many there are.
func (b *buckets[T]) placeMinima(sa []int32) (n int) {
	for i := range sa {
		sa[i] = none
	}
	b.ends()
	eachMinimum(b.text, func(place int32) {
		c := b.text[place]
		b.at[c]--
		sa[b.at[c]] = place
		n++
	})
	return n
}

// spread moves the sorted minima from the front of the array to the ends of their buckets.
func (b *buckets[T]) spread(sa []int32, n int) {
	for i := n; i < len(sa); i++ {
		sa[i] = none
	}
	b.ends()
	for i := n - 1; i >= 0; i-- {
		place := sa[i]
		sa[i] = none
		c := b.text[place]
		b.at[c]--
		sa[b.at[c]] = place
	}
}

// induce sorts all suffixes by the minima that stand in their buckets: those that are larger than
// the one behind them from the left, then the others from the right.
func (b *buckets[T]) induce(sa []int32) {
	text, at := b.text, b.at
	b.starts()
	last := int32(len(text) - 1)
	sa[at[text[last]]] = last
	at[text[last]]++
	for i := range sa {
		if place := sa[i] - 1; place >= 0 {
			if c := text[place]; c >= text[place+1] {
				sa[at[c]] = place
				at[c]++
			}
		}
	}
	b.ends()
	for i := int32(len(sa) - 1); i >= 0; i-- {
		if place := sa[i] - 1; place >= 0 {
			c, next := text[place], text[place+1]
			if c < next || c == next && at[c] <= i {
				at[c]--
				sa[at[c]] = place
			}
		}
	}
}

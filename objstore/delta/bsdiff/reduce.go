package bsdiff

// nameMinima gives each of the n local minima a number in the order of the substrings that reach
// from it to the next one, equal numbers to equal substrings, and returns how many numbers there
// are. The array holds the suffixes sorted by these substrings; afterwards its last n places hold
// the numbers, in the order of the text.
func nameMinima[T symbol](text []T, sa []int32, n int) (names int32) {
	gather(text, sa, n)
	lengths := sa[n:] // at half of its place, as no two minima are neighbours
	for i := range lengths {
		lengths[i] = 0
	}
	next := int32(len(text))
	eachMinimum(text, func(place int32) {
		lengths[place/2] = min(next, int32(len(text)-1)) - place + 1
		next = place
	})
	name, before, length := int32(0), int32(none), int32(0)
	for _, place := range sa[:n] {
		own := lengths[place/2]
		if before == none || !sameSubstring(text, before, length, place, own) {
			name++
		}
		before, length = place, own
		lengths[place/2] = name
	}
	numbers := len(sa)
	for i := len(lengths) - 1; i >= 0; i-- {
		if lengths[i] > 0 {
			numbers--
			sa[numbers] = lengths[i] - 1
		}
	}
	return name
}

// sameSubstring tells whether two substrings between minima are equal. One that reaches the end of
// the text equals none, as the end is a symbol of its own.
func sameSubstring[T symbol](text []T, a, aLength, b, bLength int32) bool {
	if aLength != bLength || max(a+aLength, b+bLength) >= int32(len(text)) {
		return false
	}
	for i := range aLength {
		if text[a+i] != text[b+i] {
			return false
		}
	}
	return true
}

// gather moves the n minima to the front of the array, in the order in which they stand there.
func gather[T symbol](text []T, sa []int32, n int) {
	found := 0
	for _, place := range sa {
		if place > 0 && isMinimum(text, place) {
			sa[found] = place
			found++
		}
	}
}

// isMinimum tells whether the suffix at a place is a local minimum.
func isMinimum[T symbol](text []T, place int32) bool {
	if text[place-1] <= text[place] {
		return false
	}
	for i := int(place); i+1 < len(text); i++ {
		if text[i] != text[i+1] {
			return text[i] < text[i+1]
		}
	}
	return false
}

// sortMinima puts the n minima in their order at the front of the array, whose last n places hold
// their numbers.
func sortMinima[T symbol](text []T, sa []int32, n int, names int32) {
	order, numbers := sa[:n], sa[len(sa)-n:]
	if int(names) < n {
		sortSuffixes(numbers, order, int(names))
	} else {
		for i, name := range numbers {
			order[name] = int32(i)
		}
	}
	i := n
	eachMinimum(text, func(place int32) {
		i--
		numbers[i] = place
	})
	for i, rank := range order {
		order[i] = numbers[rank]
	}
}

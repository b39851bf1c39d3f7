package main

import "slices"

// sample is what one question gave in each round, in seconds or bytes.
type sample []float64

// median is the value in the middle; of an even number of values, the mean of the middle two.
func (s sample) median() float64 {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	half := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[half]
	}
	return (sorted[half-1] + sorted[half]) / 2
}

// spread is the smallest and the largest value.
func (s sample) spread() (low, high float64) {
	if len(s) == 0 {
		return 0, 0
	}
	return slices.Min(s), slices.Max(s)
}

// Package halving finds where in a line of commits something broke, by testing
// the middle of what is in doubt, as git bisect does. It knows commits by their
// places alone, and does no I/O.
//
// Places are counted from the newest commit, 0, to the oldest. At Bad the thing
// is broken, at Good, which is older, it is not; the first bad commit is one from
// Bad up to, but not including, Good. Some can't be tested: they are skipped.
package halving

import (
	"math/bits"
	"slices"
)

// Marks is what is known of a line of commits.
type Marks struct {
	Bad     int          // place of the oldest commit that is known to be bad
	Good    int          // place of the newest that is known to be good, larger than Bad
	Skipped map[int]bool // places that can't be tested
}

// Verdict is what follows from marks.
type Verdict struct {
	Suspects int  // commits that may be the first bad one, from Bad on
	Found    bool // there is one suspect: Bad
	Stuck    bool // there are several, and all that could be tested are skipped
	Test     int  // otherwise, the place to test next
	Left     int  // how many suspects that can be tested are left after that, if it is bad or good, at most
	Steps    int  // about how many tests follow
}

// Next is the verdict. When nothing is skipped, it takes no more than the
// logarithm of the suspects to the base of 2, rounded up, until one is found.
func (m Marks) Next() Verdict {
	v := Verdict{Suspects: m.Good - m.Bad}
	if v.Suspects <= 1 {
		v.Found = true
		return v
	}
	if v.Test, v.Stuck = m.place(); !v.Stuck {
		weight := m.Good - v.Test // suspects from there on
		v.Left, v.Steps = v.Suspects-weight-1, steps(v.Suspects)
	}
	return v
}

// place chooses the suspect to be tested: the middle one. When some are skipped,
// these are apt to be a block, whose ends it looks for: it takes the middle of
// the part in front of the first, or of that behind the last, and only when there
// is neither, the middle of a part in between.
func (m Marks) place() (place int, stuck bool) {
	skipped := m.skipped()
	if len(skipped) == 0 {
		return m.Good - (m.Good-m.Bad)/2, false
	}
	from, to := m.Bad, skipped[0]
	last := skipped[len(skipped)-1]
	if m.Good-last > to-from {
		from, to = last, m.Good
	}
	for i := 1; i < len(skipped) && to-from == 1; i++ {
		from, to = skipped[i-1], skipped[i]
	}
	return (from + to) / 2, to-from == 1
}

// skipped lists the suspects that are skipped.
func (m Marks) skipped() (list []int) {
	for place := range m.Skipped {
		if place > m.Bad && place < m.Good {
			list = append(list, place)
		}
	}
	slices.Sort(list)
	return list
}

// steps is how many tests follow on so many suspects, about, as git counts them:
// the logarithm, one less when most of a range is left over from a power of 2.
func steps(suspects int) int {
	if suspects < 3 {
		return 0
	}
	n := bits.Len(uint(suspects)) - 1
	if power := 1 << n; power < 3*(suspects-power) {
		return n
	}
	return n - 1
}

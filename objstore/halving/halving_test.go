package halving

import (
	"math/bits"
	"math/rand/v2"
	"testing"
)

// line is a history in which everything from a place on to the newest is bad.
type line struct {
	t        *testing.T
	length   int // the last one is good
	firstBad int // its place
	untested map[int]bool
}

// search goes on until there is a verdict, and counts tests and skips.
func (l line) search() (v Verdict, m Marks, tests, skips int) {
	m = Marks{Good: l.length - 1, Skipped: map[int]bool{}}
	for {
		v = m.Next()
		if v.Found || v.Stuck {
			return v, m, tests, skips
		}
		switch {
		case v.Test <= m.Bad || v.Test >= m.Good || m.Skipped[v.Test] || v.Left < 0 || v.Suspects != m.Good-m.Bad:
			l.t.Fatalf("%+v: %+v", m, v)
		case l.untested[v.Test]:
			m.Skipped[v.Test] = true
			skips++
		case v.Test <= l.firstBad:
			m.Bad = v.Test
			tests++
		default:
			m.Good = v.Test
			tests++
		}
	}
}

// TestSearch finds each first bad commit of each short history.
func TestSearch(t *testing.T) {
	for length := 2; length < 70; length++ {
		for first := range length - 1 {
			v, m, tests, _ := line{t: t, length: length, firstBad: first}.search()
			if most := bits.Len(uint(length - 2)); !v.Found || m.Bad != first || tests > most {
				t.Errorf("%d commits, first bad %d: %+v %+v after %d tests, want at most %d", length, first, v, m, tests, most)
			}
		}
	}
}

// TestSkips: with commits that can't be tested, the suspects are exactly those
// that no test can tell apart, and every commit is skipped once at most.
func TestSkips(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 5000 {
		l := line{t: t, length: 2 + r.IntN(60), untested: map[int]bool{}}
		l.firstBad = r.IntN(l.length - 1)
		share := r.IntN(101)
		for i := 1; i < l.length-1; i++ {
			l.untested[i] = r.IntN(100) < share
		}
		v, m, _, _ := l.search()
		bad, good := l.firstBad, l.firstBad+1
		for l.untested[bad] {
			bad--
		}
		for l.untested[good] {
			good++
		}
		if m.Bad != bad || m.Good != good || v.Found != (good-bad == 1) || v.Stuck == v.Found || v.Suspects != good-bad {
			t.Fatalf("%+v: %+v %+v, want %d to %d", l, v, m, bad, good)
		}
	}
}

// TestBlock: a block of commits that can't be tested around the middle is left
// at once, and costs little.
func TestBlock(t *testing.T) {
	l := line{t: t, length: 1000, untested: map[int]bool{}}
	for i := 400; i < 600; i++ {
		l.untested[i] = true
	}
	for first := range 999 {
		if l.firstBad = first; first >= 399 && first < 600 {
			continue // it ends in the block
		}
		if v, _, tests, skips := l.search(); !v.Found || skips > 10 || tests+skips > 20 {
			t.Errorf("first bad %d: %+v after %d tests and %d skips", first, v, tests, skips)
		}
	}
}

// TestWords holds git's figures: suspects, and what it says of them.
func TestWords(t *testing.T) {
	for _, c := range []struct{ suspects, left, steps int }{{2, 0, 0}, {3, 1, 1}, {4, 1, 1}, {5, 2, 1}, {6, 2, 2}, {10, 4, 2}, {11, 5, 3}, {100, 49, 6}, {675, 337, 8}} {
		if v := (Marks{Good: c.suspects}).Next(); v.Left != c.left || v.Steps != c.steps {
			t.Errorf("%d suspects: %+v, want %+v", c.suspects, v, c)
		}
	}
}

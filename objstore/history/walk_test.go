package history

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"deployfs/objstore/object"
)

// walked visits a history, at most limit commits of it, and returns their times.
func walked(f *fake, from, limit int) (times []uint64, err error) {
	err = Walk(context.Background(), f, sumOf(from), func(c Commit) (bool, error) {
		times = append(times, c.Timestamp)
		return len(times) < limit, nil
	})
	return times, err
}

func TestWalk(t *testing.T) {
	f := newFake()
	f.line(5)
	for limit, want := range map[int][]uint64{9: {5, 4, 3, 2, 1}, 5: {5, 4, 3, 2, 1}, 2: {5, 4}} {
		if got, err := walked(f, 5, limit); err != nil || !slices.Equal(got, want) {
			t.Errorf("at most %d: %v, %v", limit, got, err)
		}
	}
	delete(f.commits, sumOf(2))
	got, err := walked(f, 5, 9)
	shallow := (*ShallowError)(nil)
	if !errors.Is(err, ErrShallow) || !errors.As(err, &shallow) || *shallow != (ShallowError{sumOf(3), sumOf(2)}) || !slices.Equal(got, []uint64{5, 4, 3}) {
		t.Errorf("a shallow history: %v, %v", got, err)
	}
	if err := Walk(context.Background(), f, object.Checksum{}, nil); err == nil {
		t.Error("there are commits before the first")
	}
	if got, err := walked(f, 2, 9); err == nil || errors.Is(err, ErrShallow) || got != nil {
		t.Errorf("from a commit that is not there: %v, %v", got, err)
	}
}

func TestWalkEnds(t *testing.T) {
	f := newFake()
	f.line(3)
	mine := errors.New("mine")
	for want, visit := range map[error]func(Commit) (bool, error){
		mine: func(Commit) (bool, error) { return true, mine },
		nil:  func(Commit) (bool, error) { return false, nil },
	} {
		if err := Walk(context.Background(), f, sumOf(3), visit); err != want {
			t.Errorf("%v, want %v", err, want)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	err := Walk(ctx, f, sumOf(3), func(Commit) (bool, error) { cancel(); return true, nil })
	if err != context.Canceled {
		t.Error(err)
	}
}

// TestWalkCircle walks histories that bend back on themselves.
func TestWalkCircle(t *testing.T) {
	for _, tail := range []int{0, 1, 7} {
		for _, length := range []int{1, 2, 3, 100} {
			f := newFake()
			f.line(tail + length)
			last := f.commits[sumOf(1)]
			last.Parent = sumOf(length)
			f.commits[sumOf(1)] = last
			got, err := walked(f, tail+length, 1<<20)
			if err == nil || !strings.Contains(err.Error(), "its own ancestor") || len(got) > 4*(tail+length)+4 {
				t.Errorf("%d commits, then a circle of %d: %d visits, %v", tail, length, len(got), err)
			}
		}
	}
}

func TestPairs(t *testing.T) {
	f := newFake()
	f.line(4)
	pairs := func(limit int) (text string, err error) {
		n := 0
		err = Pairs(context.Background(), f, sumOf(4), func(c Commit, parent *Commit) (bool, error) {
			n++
			text += fmt.Sprint(" ", c.Timestamp)
			if parent != nil {
				text += fmt.Sprint("<", parent.Timestamp)
			}
			return n < limit, nil
		})
		return text, err
	}
	for limit, want := range map[int]string{9: " 4<3 3<2 2<1 1", 4: " 4<3 3<2 2<1 1", 3: " 4<3 3<2 2<1", 1: " 4<3"} {
		if got, err := pairs(limit); got != want || err != nil {
			t.Errorf("at most %d: %q, %v", limit, got, err)
		}
	}
	delete(f.commits, sumOf(1))
	if got, err := pairs(9); got != " 4<3 3<2 2" || !errors.Is(err, ErrShallow) {
		t.Errorf("shallow: %q, %v", got, err)
	}
	if got, err := pairs(3); got != " 4<3 3<2 2" || err != nil {
		t.Errorf("shallow, but that is of no interest: %q, %v", got, err)
	}
}

package compile

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// TestOrdered has results come in the order of the jobs, and every one be used or dropped.
func TestOrdered(t *testing.T) {
	failed := errors.New("failed")
	for _, c := range []struct {
		name          string
		doFail, useAt int // the job that fails, or whose result is refused; -1 for none
		want          error
	}{{"all", -1, -1, nil}, {"a job fails", 20, -1, failed}, {"a result is refused", -1, 20, failed}} {
		t.Run(c.name, func(t *testing.T) {
			var made, dropped atomic.Int32
			var used []int
			err := ordered(t.Context(), 4, 50,
				func(_ context.Context, i int) (int, error) {
					if time.Sleep(time.Duration(i%3) * time.Millisecond); i == c.doFail {
						return 0, failed
					}
					made.Add(1)
					return i, nil
				},
				func(i, value int) error {
					used = append(used, value)
					if i == c.useAt {
						return failed
					}
					return nil
				},
				func(int) { dropped.Add(1) })
			if err != c.want || !slices.IsSorted(used) || len(used)+int(dropped.Load()) != int(made.Load()) {
				t.Errorf("%v; of %d results %v are used, %d dropped", err, made.Load(), used, dropped.Load())
			}
			if c.want == nil && len(used) != 50 || c.want != nil && len(used) > 21 {
				t.Errorf("%d are used", len(used))
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	nothing := func(int, int) error { return nil }
	if err := ordered(ctx, 2, 5, func(context.Context, int) (int, error) { return 0, nil }, nothing, func(int) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestBudget has what is taken at the same time be no more than all.
func TestBudget(t *testing.T) {
	b := newBudget(10)
	if n := b.acquire(25); n != 10 {
		t.Errorf("%d are taken of 10", n)
	}
	got := make(chan int64)
	go func() { got <- b.acquire(4) }()
	select {
	case n := <-got:
		t.Errorf("%d are taken where none is free", n)
	case <-time.After(20 * time.Millisecond):
	}
	b.release(10)
	if n := <-got; n != 4 {
		t.Errorf("%d are taken, want 4", n)
	}
}

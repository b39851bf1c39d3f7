package cache

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"deployfs/objstore/object"
)

// counter loads strings and counts how often.
type counter struct {
	loads atomic.Int32
	cost  int64
	err   error
}

func (c *counter) load(sum object.Checksum) (string, int64, error) {
	c.loads.Add(1)
	return sum.String(), c.cost, c.err
}

// newCache makes a cache until the test ends.
func newCache(t testing.TB, limit int64) *Cache[string] {
	t.Helper()
	c, err := New[string](limit)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// get takes sum from the cache and waits until the cache has taken it in.
func get(t testing.TB, c *Cache[string], sum object.Checksum, l *counter) {
	t.Helper()
	if v, err := c.Get(sum, l.load); err != nil || v != sum.String() {
		t.Errorf("%s: %q, %v", sum, v, err)
	}
	c.items.Wait()
}

// sum is the checksum number n, whose first bytes differ from the others'.
func sum(n int) object.Checksum { return object.Checksum{byte(n), byte(n >> 8), byte(n >> 16)} }

func TestGet(t *testing.T) {
	c, l := newCache(t, 1<<20), &counter{cost: 100}
	for range 3 {
		for n := range 10 {
			get(t, c, sum(n), l)
		}
	}
	if l.loads.Load() != 10 {
		t.Errorf("%d loads of 10 objects", l.loads.Load())
	}
	if c.Used() != 1000 || c.Limit() != 1<<20 {
		t.Errorf("%d of %d bytes are used, want 1000", c.Used(), c.Limit())
	}
}

// TestErrors are not kept.
func TestErrors(t *testing.T) {
	c, bad := newCache(t, 1<<20), &counter{err: errors.New("damaged")}
	for i := range 3 {
		if v, err := c.Get(sum(1), bad.load); err != bad.err || int(bad.loads.Load()) != i+1 {
			t.Errorf("%q, %v after %d loads", v, err, bad.loads.Load())
		}
	}
	get(t, c, sum(1), &counter{cost: 1})
}

// TestSameKey: checksums that begin alike are not taken for each other.
func TestSameKey(t *testing.T) {
	c, l := newCache(t, 1<<20), &counter{cost: 1}
	a, b := object.Checksum{1, 31: 1}, object.Checksum{1, 31: 2}
	for range 3 {
		get(t, c, a, l)
		get(t, c, b, l)
	}
}

// TestLimit: the cache never takes more than it may, and what exceeds it alone
// is handed out all the same.
func TestLimit(t *testing.T) {
	c, l := newCache(t, 10000), &counter{cost: 300}
	for n := range 2000 {
		get(t, c, sum(n), l)
		if c.Used() > c.Limit() {
			t.Fatalf("%d of %d bytes after %d objects", c.Used(), c.Limit(), n)
		}
	}
	if c.Used() < c.Limit()/2 {
		t.Errorf("only %d of %d bytes are used", c.Used(), c.Limit())
	}
	get(t, c, sum(5000), &counter{cost: 20000})
	if c.Used() > c.Limit() {
		t.Errorf("%d of %d bytes after a large object", c.Used(), c.Limit())
	}
}

// TestConcurrent: one load for all who ask at once.
func TestConcurrent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := New[string](1 << 20)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		var loads, answers atomic.Int32
		finish := make(chan struct{})
		load := func(object.Checksum) (string, int64, error) {
			loads.Add(1)
			<-finish
			return "value", 1, nil
		}
		for range 20 {
			go func() {
				if v, err := c.Get(sum(1), load); v == "value" && err == nil {
					answers.Add(1)
				}
			}()
		}
		synctest.Wait()
		close(finish)
		synctest.Wait()
		if v, err := c.Get(sum(1), load); v != "value" || err != nil {
			t.Errorf("%q, %v", v, err)
		}
		if loads.Load() != 1 || answers.Load() != 20 {
			t.Errorf("%d loads, %d answers", loads.Load(), answers.Load())
		}
	})
}

// TestRace uses a cache that is too small from many goroutines.
func TestRace(t *testing.T) {
	c, l := newCache(t, 5000), &counter{cost: 100}
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for i := range 3000 {
				n := sum((worker*7 + i*i) % 100)
				if v, err := c.Get(n, l.load); err != nil || v != n.String() {
					t.Errorf("%s: %q, %v", n, v, err)
				}
				if i%100 == 0 && c.Used() > c.Limit() {
					t.Errorf("%d of %d bytes", c.Used(), c.Limit())
				}
			}
		})
	}
	wg.Wait()
}

func TestNew(t *testing.T) {
	for limit, ok := range map[int64]bool{-1: false, 0: false, 1: true, 1<<63 - 1: true} {
		c, err := New[string](limit)
		if (err == nil) != ok {
			t.Errorf("limit %d: %v", limit, err)
		}
		if err == nil {
			c.Close()
		}
	}
}

func BenchmarkGet(b *testing.B) {
	c, l := newCache(b, 1<<20), &counter{cost: 1}
	get(b, c, sum(1), l)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Get(sum(1), l.load); err != nil {
			b.Fatal(err)
		}
	}
}

// TestLarge: the last object that takes more than the budget is held beside it, and
// does not push out others.
func TestLarge(t *testing.T) {
	c, small, large := newCache(t, 1<<20), &counter{cost: 100}, &counter{cost: 5 << 20}
	for range 3 {
		get(t, c, sum(1), small)
		for range 3 {
			get(t, c, sum(2), large)
		}
	}
	if small.loads.Load() != 1 || large.loads.Load() != 1 {
		t.Errorf("%d loads of a small object, %d of a large one", small.loads.Load(), large.loads.Load())
	}
	get(t, c, sum(3), large)
	get(t, c, sum(2), large)
	if large.loads.Load() != 3 {
		t.Errorf("%d loads of large objects in turns", large.loads.Load())
	}
	if c.Used() != 100 {
		t.Errorf("%d bytes are used", c.Used())
	}
}

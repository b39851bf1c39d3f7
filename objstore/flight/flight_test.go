package flight

import (
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// TestCollapse: all who ask while the work runs wait for it and share its result.
func TestCollapse(t *testing.T) {
	want := errors.New("what the work met")
	for _, result := range []error{nil, want} {
		synctest.Test(t, func(t *testing.T) {
			var g Group[string, *int]
			var runs, shared atomic.Int32
			value := new(int)
			finish := make(chan struct{})
			for range 100 {
				go func() {
					v, err := g.Do("key", func() (*int, error) {
						runs.Add(1)
						<-finish
						return value, result
					})
					if v == value && err == result {
						shared.Add(1)
					}
				}()
			}
			synctest.Wait()
			if n := shared.Load(); n != 0 {
				t.Errorf("%d callers have a result before the work ended", n)
			}
			close(finish)
			synctest.Wait()
			if runs.Load() != 1 || shared.Load() != 100 {
				t.Errorf("the work ran %d times for %d callers", runs.Load(), shared.Load())
			}
		})
	}
}

// TestAnew: once the work has ended, its result is forgotten.
func TestAnew(t *testing.T) {
	var g Group[int, int]
	for i := range 3 {
		if v, err := g.Do(1, func() (int, error) { return i, nil }); v != i || err != nil {
			t.Errorf("run %d gave %d, %v", i, v, err)
		}
	}
	if len(g.calls) != 0 {
		t.Errorf("%d calls are kept", len(g.calls))
	}
}

// TestKeys: work on one key waits for no other.
func TestKeys(t *testing.T) {
	var g Group[int, int]
	v, err := g.Do(1, func() (int, error) {
		return g.Do(2, func() (int, error) {
			return g.Do(3, func() (int, error) { return 7, nil })
		})
	})
	if v != 7 || err != nil {
		t.Errorf("%d, %v", v, err)
	}
}

// TestPanic: the panic goes to whose work it was; the others get an error, and
// the key can be used again.
func TestPanic(t *testing.T) {
	for what, end := range map[string]func(){
		"panic": func() { panic("what went wrong") },
		"exit":  runtime.Goexit,
	} {
		synctest.Test(t, func(t *testing.T) {
			var g Group[string, int]
			finish := make(chan struct{})
			var failed atomic.Int32
			go func() {
				defer func() {
					if r := recover(); what == "panic" && r != "what went wrong" {
						t.Errorf("recovered %v", r)
					}
				}()
				g.Do("key", func() (int, error) {
					<-finish
					end()
					return 1, nil
				})
			}()
			synctest.Wait()
			for range 10 {
				go func() {
					if v, err := g.Do("key", func() (int, error) { return 2, nil }); err != nil && v == 0 {
						failed.Add(1)
					}
				}()
			}
			synctest.Wait()
			close(finish)
			synctest.Wait()
			if failed.Load() != 10 {
				t.Errorf("%s: %d of 10 callers got an error", what, failed.Load())
			}
			if v, err := g.Do("key", func() (int, error) { return 3, nil }); v != 3 || err != nil {
				t.Errorf("%s: afterwards %d, %v", what, v, err)
			}
		})
	}
}

// TestConcurrent: for each key one worker at a time.
func TestConcurrent(t *testing.T) {
	var g Group[int, int]
	var busy [4]atomic.Int32
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for i := range 2000 {
				key := (worker + i) % len(busy)
				v, err := g.Do(key, func() (int, error) {
					defer busy[key].Add(-1)
					if n := busy[key].Add(1); n != 1 {
						t.Errorf("%d work on key %d", n, key)
					}
					runtime.Gosched()
					return key, nil
				})
				if v != key || err != nil {
					t.Errorf("key %d: %d, %v", key, v, err)
				}
			}
		})
	}
	wg.Wait()
}

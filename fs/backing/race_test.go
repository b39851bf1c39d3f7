package backing

import (
	"fmt"
	"math/rand"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// TestCollapse: all who want an object while it is opened share one opening.
func TestCollapse(t *testing.T) {
	bothKinds(t, func(t *testing.T, plain bool) {
		s, d := stored(t, plain, Limits{Files: 1, Bytes: 1})
		d.put(1, "content")
		synctest.Test(t, func(t *testing.T) {
			finish := make(chan struct{})
			d.before = func(int) { <-finish }
			files := make(chan *File, 20)
			for range cap(files) {
				go func() {
					f, err := s.Acquire(sum(1), true)
					if err != nil {
						t.Error(err)
					}
					files <- f
				}()
			}
			synctest.Wait()
			close(finish)
			synctest.Wait()
			for range cap(files) {
				f := <-files
				wantContent(t, f, "content")
				s.Release(f)
			}
		})
		if d.opened != 1 {
			t.Errorf("opened %d times", d.opened)
		}
	})
}

// TestReopenDuringLoad: one who wants a check does not get the result of an
// opening without one, which began before.
func TestReopenDuringLoad(t *testing.T) {
	bothKinds(t, func(t *testing.T, plain bool) {
		s, d := stored(t, plain, roomy)
		d.put(1, "wrong")
		d.wrong["wrong"] = true
		synctest.Test(t, func(t *testing.T) {
			finish := make(chan struct{})
			d.before = func(n int) {
				if n == 1 {
					<-finish
				}
			}
			go func() {
				if f, err := s.Acquire(sum(1), false); err != nil {
					t.Error(err)
				} else {
					wantContent(t, f, "wrong")
					s.Release(f)
				}
			}()
			synctest.Wait()
			for _, open := range []func() (*File, error){
				func() (*File, error) { return s.Reopen(sum(1)) },
				func() (*File, error) { return s.Acquire(sum(1), true) },
			} {
				go func() {
					if _, err := open(); err != errWrong {
						t.Errorf("checked content: %v", err)
					}
				}()
			}
			synctest.Wait()
			close(finish)
			synctest.Wait()
		})
	})
}

// TestRace takes, reads, reopens and gives back from many goroutines, with
// limits that are always exceeded. What is held can be read, and in the end
// nothing is left open.
func TestRace(t *testing.T) {
	bothKinds(t, func(t *testing.T, plain bool) {
		before := descriptors(t)
		s, d := stored(t, plain, Limits{Files: 4, Bytes: 2000})
		content := func(n int) string { return strings.Repeat(fmt.Sprintf("object %d ", n), 50) }
		for n := range 16 {
			d.put(n, content(n))
		}
		var wg sync.WaitGroup
		for worker := range 8 {
			wg.Go(func() {
				random := rand.New(rand.NewSource(int64(worker)))
				for range 300 {
					n := random.Intn(16)
					var f *File
					var err error
					if random.Intn(10) == 0 {
						f, err = s.Reopen(sum(n))
					} else {
						f, err = s.Acquire(sum(n), random.Intn(2) == 0)
					}
					if err != nil {
						t.Error(err)
						return
					}
					wantContent(t, f, content(n))
					s.Release(f)
				}
			})
		}
		wg.Wait()
		if files, _ := s.Used(); files > 4 || s.bytes.Load() > 2000 {
			t.Errorf("%d files and %d bytes are held", files, s.bytes.Load())
		}
		s.Close()
		wantUsed(t, s, 0, 0)
		if after := descriptors(t); after > before || d.open != 0 {
			t.Errorf("%d descriptors before, %d after; %d contents are open", before, after, d.open)
		}
	})
}

func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

func BenchmarkAcquire(b *testing.B) {
	s, d := stored(b, true, roomy)
	d.put(1, "content")
	b.ReportAllocs()
	for b.Loop() {
		f, err := s.Acquire(sum(1), true)
		if err != nil {
			b.Fatal(err)
		}
		s.Release(f)
	}
}

// BenchmarkParallel takes 64 objects in turn, in 32 goroutines for each processor.
func BenchmarkParallel(b *testing.B) {
	s, d := stored(b, true, roomy)
	for n := range 64 {
		d.put(n, "content")
		s.Release(acquire(b, s, n, true))
	}
	var next atomic.Int64
	b.ReportAllocs()
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		n := int(next.Add(7))
		for pb.Next() {
			n++
			f, err := s.Acquire(sum(n%64), true)
			if err != nil {
				b.Fatal(err)
			}
			s.Release(f)
		}
	})
}

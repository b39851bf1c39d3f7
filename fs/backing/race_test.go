package backing

import (
	"fmt"
	"math/rand"
	"os"
	"strings"
	"sync"
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
		if files, bytes := s.Used(); files > 4 || bytes > 2000 {
			t.Errorf("%d files and %d bytes are held", files, bytes)
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

// TestSpool leaves no name behind, and is refused where there can be no directory.
func TestSpool(t *testing.T) {
	s, d := stored(t, false, roomy)
	d.put(1, "content")
	f := acquire(t, s, 1, true)
	if entries, err := os.ReadDir(d.dir + "/spool"); err != nil || len(entries) != 0 {
		t.Errorf("%v, %v", entries, err)
	}
	if info, err := os.Stat(d.dir + "/spool"); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info, err)
	}
	wantContent(t, f, "content")
	d.put(2, "content")
	if err := os.Remove(d.dir + "/spool"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(d.dir+"/spool", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Acquire(sum(2), true); err == nil || !strings.HasPrefix(err.Error(), "spool for inflated content: ") {
		t.Errorf("with a file in place of its directory: %v", err)
	}
}

func BenchmarkAcquire(b *testing.B) {
	s, d := stored(b, true, roomy)
	d.put(1, "content")
	b.ReportAllocs()
	for b.Loop() {
		s.Release(acquire(b, s, 1, true))
	}
}

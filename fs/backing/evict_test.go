package backing

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// fill puts and inflates objects from first to last, and lets go of them.
func fill(t *testing.T, s *Store, d *depot, first, last int) {
	t.Helper()
	for n := first; n <= last; n++ {
		d.put(n, strings.Repeat("x", 1000))
		s.Release(acquire(t, s, n, true))
	}
}

// within makes a Store whose cache holds as many files of up to 4096 bytes.
func (d *depot) within(files int64) *Store {
	s := NewStore(d.Open, NewInflated(d.cacheDir(), files*cost(4096)), nil, Limits{Files: 1})
	d.t.Cleanup(s.Close)
	return s
}

// age makes objects' files and their last use old, that of the first oldest.
func (d *depot) age(s *Store, objects ...int) {
	d.t.Helper()
	for i, n := range objects {
		then := time.Now().Add(-time.Duration(len(objects)-i) * time.Hour)
		if err := os.Chtimes(d.cachePath(n), then, then); err != nil {
			d.t.Fatal(err)
		}
		s.inflated.shared().Store(ageOf(sum(n)), uint64(then.Unix()))
	}
}

// TestEvict removes what was unused the longest, wherever it was used, and
// counts again.
func TestEvict(t *testing.T) {
	d := depotOf(t, false)
	s := d.within(16)
	fill(t, s, d, 1, 16)
	d.age(s, 5, 3, 9, 1, 2, 4, 6, 7, 8)
	other := d.within(16)
	wantContent(t, acquire(t, other, 3, true), strings.Repeat("x", 1000))
	if left := d.cached(); len(left) != 16 {
		t.Fatalf("%d are left within the limit", len(left))
	}
	fill(t, s, d, 17, 17)
	waitFor(t, "nothing is removed", func() bool { return s.inflated.used() <= 14*cost(4096) })
	left := d.cached()
	for n := 1; n <= 17; n++ {
		gone := n == 5 || n == 9 || n == 1
		if slices.Contains(left, d.cachePath(n)) == gone {
			t.Errorf("object %d is gone: %v", n, !gone)
		}
	}
	if used := s.inflated.used(); used != int64(len(left))*cost(1000) || other.inflated.used() != used {
		t.Errorf("%d files cost %d", len(left), used)
	}
}

// TestEvictLost counts what is there when the count was lost, and sweeps.
func TestEvictLost(t *testing.T) {
	d := depotOf(t, false)
	s := d.within(16)
	fill(t, s, d, 1, 12)
	s.Close()
	if err := os.Remove(filepath.Join(d.cacheDir(), "usage")); err != nil {
		t.Fatal(err)
	}
	leftover := filepath.Join(filepath.Dir(d.cachePath(1)), ".inflated-123")
	if err := os.WriteFile(leftover, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	next := d.within(16)
	next.Release(acquire(t, next, 1, true))
	waitFor(t, "it is not counted", func() bool { return next.inflated.used() == 12*cost(1000) })
	if _, err := os.Lstat(leftover); err == nil {
		t.Error("the leftover is still there")
	}
}

// TestEvictLocked leaves it to the process that is at it.
func TestEvictLocked(t *testing.T) {
	d := depotOf(t, false)
	s := d.within(4)
	fill(t, s, d, 1, 4)
	lock, err := os.OpenFile(filepath.Join(d.cacheDir(), "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	fill(t, s, d, 5, 8)
	s.Close()
	if left := d.cached(); len(left) != 8 {
		t.Errorf("%d are left", len(left))
	}
	lock.Close()
	next := d.within(4)
	fill(t, next, d, 9, 9)
	waitFor(t, "nothing is removed", func() bool { return len(d.cached()) <= 4 })
}

// TestTooLarge content is not cached: it would push out everything else.
func TestTooLarge(t *testing.T) {
	d := depotOf(t, false)
	s := d.within(4)
	fill(t, s, d, 1, 3)
	large := strings.Repeat("x", 40000)
	d.put(9, large)
	f := acquire(t, s, 9, true)
	wantContent(t, f, large)
	if left := d.cached(); len(left) != 3 || f.nameless != 40000 {
		t.Errorf("%d are cached, %d bytes have no name", len(left), f.nameless)
	}
}

// TestGoroutines: eviction ends with the Store.
func TestGoroutines(t *testing.T) {
	before := runtime.NumGoroutine()
	d := depotOf(t, false)
	for range 5 {
		s := d.within(2)
		fill(t, s, d, 1, 20)
		s.Close()
		fill(t, s, d, 21, 22)
		s.Close()
	}
	waitFor(t, "goroutines are left", func() bool { return runtime.NumGoroutine() <= before })
}

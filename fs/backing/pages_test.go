package backing

import (
	"io"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

const pagesSize = 64 << 20

// onDisk puts an object of pagesSize bytes whose pages can be dropped, and tells
// how many of them are in the page cache.
func onDisk(t *testing.T, d *depot) (cached func() int) {
	d.put(1, string(make([]byte, pagesSize)))
	f, err := os.Open(d.path(sum(1)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	uncache(t, int(f.Fd()))
	return func() int {
		n, _ := cachedPages(int(f.Fd()))
		return int(n) * unix.Getpagesize()
	}
}

func uncache(t *testing.T, fd int) {
	t.Helper()
	unix.Fsync(fd)
	unix.Fadvise(fd, 0, 0, unix.FADV_DONTNEED)
	if n, ok := cachedPages(fd); n != 0 || !ok {
		t.Skipf("the filesystem keeps %d pages, known %v", n, ok)
	}
}

func readAll(t *testing.T, f *File) {
	t.Helper()
	buf := make([]byte, 512<<10)
	for off := int64(0); ; {
		n, err := f.ReadContent(buf, off)
		if off += int64(n); err == io.EOF && off == pagesSize {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// cachedBytes is how many bytes of a file are cached at some moment, and how many
// should be.
type cachedBytes struct {
	what     string
	found    int
	min, max int
}

// tryPages runs a trial until it finds what it wants: somebody else on the machine
// may have dropped pages.
func tryPages(t *testing.T, trial func(d *depot) []cachedBytes) {
	t.Helper()
	var wrong []cachedBytes
	for range 5 {
		wrong = nil
		for _, c := range trial(depotOf(t, true)) {
			if c.found < c.min || c.found > c.max {
				wrong = append(wrong, c)
			}
		}
		if len(wrong) == 0 {
			return
		}
	}
	t.Errorf("%+v", wrong)
}

// TestPages: reading leaves few pages that were not there, and all that were.
func TestPages(t *testing.T) {
	for _, check := range []bool{true, false} {
		tryPages(t, func(d *depot) (found []cachedBytes) {
			cached := onDisk(t, d)
			note := func(what string, min, max int) {
				found = append(found, cachedBytes{what, cached(), min, max})
			}
			s := d.store(nil, roomy)
			f := acquire(t, s, 1, check)
			if check {
				note("verified", pagesSize, pagesSize)
			}
			readAll(t, f)
			note("read", 0, 2*dropStep)
			s.Release(f)
			s.Close()
			note("closed", 0, 0)

			keeper := acquire(t, d.store(nil, roomy), 1, false)
			keeper.Fd()
			readAll(t, keeper)
			note("read where somebody has the descriptor", pagesSize, pagesSize)
			s = d.store(nil, roomy)
			f = acquire(t, s, 1, check)
			readAll(t, f)
			s.Release(f)
			s.Close()
			note("closed where it was cached", pagesSize, pagesSize)
			return found
		})
	}
}

// TestPagesJumps: reads that jump keep pages until the end.
func TestPagesJumps(t *testing.T) {
	tryPages(t, func(d *depot) (found []cachedBytes) {
		cached := onDisk(t, d)
		s := d.store(nil, roomy)
		f := acquire(t, s, 1, true)
		buf := make([]byte, 4096)
		for i := range int64(200) {
			if _, err := f.ReadContent(buf, i*37%64<<20); err != nil {
				t.Fatal(err)
			}
		}
		found = append(found, cachedBytes{"read", cached(), pagesSize / 2, pagesSize})
		s.Release(f)
		s.Close()
		return append(found, cachedBytes{"closed", cached(), 0, 0})
	})
}

package backing

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// settle waits until files that were just made can be recorded.
func settle() { time.Sleep(settling + 10*time.Millisecond) }

// recorded makes a depot with a record, where files can be recorded.
func recorded(t *testing.T, plain bool) (*depot, *Record) {
	t.Helper()
	d := depotOf(t, plain)
	dir, err := os.Open(d.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	if !steady(int(dir.Fd())) {
		t.Skip("the temporary directory's filesystem is not one whose ctimes are believed")
	}
	return d, opened(t, filepath.Join(d.dir, "verified"))
}

// TestVerifiedOnce: what one Store verified, the next does not read, until the
// file changes. Reopen verifies all the same.
func TestVerifiedOnce(t *testing.T) {
	d, record := recorded(t, true)
	d.put(1, "content")
	read := func(want int, what string) {
		t.Helper()
		s := d.store(record, roomy)
		wantContent(t, acquire(t, s, 1, true), "content")
		s.Close()
		if d.read != want {
			t.Errorf("%s: read %d times, want %d", what, d.read, want)
		}
	}
	read(1, "first")
	read(2, "just made")
	settle()
	read(3, "settled")
	read(3, "recorded")
	s := d.store(record, roomy)
	for n := range 2 {
		f, err := s.Reopen(sum(1))
		if err != nil || d.read != 4+n {
			t.Errorf("reopened: %v, read %d times", err, d.read)
		}
		s.Release(f)
	}
	d.put(1, "content")
	settle()
	read(6, "written again")
	read(6, "and recorded")
	d.wrong["content"] = true // as when the disk lost it
	if _, err := s.Reopen(sum(1)); err != errWrong {
		t.Error(err)
	}
	if _, err := s.Acquire(sum(1), true); err != errWrong {
		t.Errorf("it is still recorded: %v", err)
	}
}

// TestChangedWhileVerified: a file that changed just before it was read is not
// recorded, however long the reading took.
func TestChangedWhileVerified(t *testing.T) {
	d, record := recorded(t, true)
	d.put(1, "content")
	settle()
	d.before = func(n int) {
		if n == 1 {
			d.put(1, "content")
		}
	}
	d.slow = 2 * settling
	for range 2 {
		d.store(record, roomy).Acquire(sum(1), true)
	}
	if d.read != 2 {
		t.Errorf("read %d times", d.read)
	}
}

// TestInflatedRecorded: a Store reads no copy that the record knows, whether it
// is to be checked or not.
func TestInflatedRecorded(t *testing.T) {
	d, record := recorded(t, false)
	d.put(1, "content of one")
	d.put(2, "content of two")
	first := d.store(record, roomy)
	acquire(t, first, 1, true)
	acquire(t, first, 2, true)
	s := d.store(record, roomy)
	wantContent(t, acquire(t, s, 1, true), "content of one")
	wantContent(t, acquire(t, s, 2, false), "content of two")
	if d.read != 2 || d.copies != 0 {
		t.Errorf("%d read, %d copies verified", d.read, d.copies)
	}
	if _, err := s.Reopen(sum(2)); err != nil || d.copies != 1 {
		t.Errorf("reopened: %v, %d copies verified", err, d.copies)
	}
}

// TestForgedHeader: what the record knows it knows under one header. Another is
// not believed with it, and told only to those who want no check.
func TestForgedHeader(t *testing.T) {
	bothKinds(t, func(t *testing.T, plain bool) {
		d, record := recorded(t, plain)
		d.put(1, "content")
		settle()
		wantMode := func(check bool, want uint32) {
			t.Helper()
			f := acquire(t, d.store(record, roomy), 1, check)
			wantContent(t, f, "content")
			if f.Header.Mode != want || f.Header.Size != 7 {
				t.Errorf("check %v: the header is %+v", check, f.Header)
			}
		}
		wantMode(true, rightMode)
		wantMode(true, rightMode)
		if d.read != 1 || d.copies != 0 {
			t.Errorf("%d read, %d copies verified", d.read, d.copies)
		}
		d.forged = true
		for range 2 {
			if _, err := d.store(record, roomy).Acquire(sum(1), true); err != errWrong {
				t.Errorf("a forged header: %v", err)
			}
		}
		wantMode(false, forgedMode)
		d.forged = false
		wantMode(true, rightMode)
	})
}

// TestForgedSize: a recorded copy is not believed to be content of another size.
func TestForgedSize(t *testing.T) {
	d, record := recorded(t, false)
	d.put(1, "content")
	acquire(t, d.store(record, roomy), 1, true)
	d.claim = 1
	if f, err := d.store(record, roomy).Acquire(sum(1), true); err == nil {
		t.Errorf("got %d bytes, and a header that says %d", f.Size, f.Header.Size)
	}
}

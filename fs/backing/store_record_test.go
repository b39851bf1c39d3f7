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

// TestInflatedRecorded: a Store does not even open the object, once it knows that
// objects are deflated, when the record knows the cached copy.
func TestInflatedRecorded(t *testing.T) {
	d, record := recorded(t, false)
	d.put(1, "content of one")
	d.put(2, "content of two")
	first := d.store(record, roomy)
	acquire(t, first, 1, true)
	acquire(t, first, 2, true)
	s := d.store(record, roomy)
	wantContent(t, acquire(t, s, 1, true), "content of one")
	wantContent(t, acquire(t, s, 2, true), "content of two")
	if d.opened != 3 || d.read != 2 || d.copies != 0 {
		t.Errorf("%d opened, %d read, %d copies verified", d.opened, d.read, d.copies)
	}
	if _, err := s.Reopen(sum(2)); err != nil || d.opened != 4 || d.copies != 1 {
		t.Errorf("reopened: %v, %d opened, %d copies verified", err, d.opened, d.copies)
	}
}

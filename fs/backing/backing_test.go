package backing

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"
)

var roomy = Limits{Files: 100, Bytes: 1 << 20}

// TestAcquire opens an object once, whoever wants it how often.
func TestAcquire(t *testing.T) {
	bothKinds(t, func(t *testing.T, plain bool) {
		s, d := stored(t, plain, roomy)
		d.put(1, "content of one")
		d.put(2, "")
		one := acquire(t, s, 1, true)
		again := acquire(t, s, 1, true)
		wantContent(t, one, "content of one")
		s.Release(one)
		wantContent(t, again, "content of one")
		s.Release(again)
		wantContent(t, acquire(t, s, 1, false), "content of one")
		wantContent(t, acquire(t, s, 2, true), "")
		if d.opened != 2 || d.open != 0 {
			t.Errorf("opened %d times, %d are left open", d.opened, d.open)
		}
		wantUsed(t, s, 2, 0)
	})
}

// TestFailures hold nothing, and do not last.
func TestFailures(t *testing.T) {
	bothKinds(t, func(t *testing.T, plain bool) {
		s, d := stored(t, plain, roomy)
		if _, err := s.Acquire(sum(1), true); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("absent: %v", err)
		}
		d.put(1, "wrong")
		d.wrong["wrong"] = true
		for range 2 {
			if _, err := s.Acquire(sum(1), true); err != errWrong {
				t.Errorf("wrong: %v", err)
			}
		}
		wantUsed(t, s, 0, 0)
		d.put(1, "right")
		wantContent(t, acquire(t, s, 1, true), "right")
		if d.open != 0 {
			t.Errorf("%d are left open", d.open)
		}
	})
}

// TestTrust: without a check, wrong content is as good as any. One who wants a
// check does not get what was held without.
func TestTrust(t *testing.T) {
	bothKinds(t, func(t *testing.T, plain bool) {
		s, d := stored(t, plain, roomy)
		d.put(1, "wrong")
		d.wrong["wrong"] = true
		f := acquire(t, s, 1, false)
		wantContent(t, f, "wrong")
		if _, err := s.Acquire(sum(1), true); err != errWrong {
			t.Errorf("checked: %v", err)
		}
		wantContent(t, f, "wrong")
		s.Release(f)
		wantContent(t, acquire(t, s, 1, false), "wrong")
	})
}

// TestSize tells how long the content was when it was opened.
func TestSize(t *testing.T) {
	bothKinds(t, func(t *testing.T, plain bool) {
		s, d := stored(t, plain, roomy)
		d.put(1, "12345")
		f := acquire(t, s, 1, true)
		d.put(1, "123")
		if f.Size != 5 {
			t.Errorf("size %d", f.Size)
		}
	})
}

// TestReopen reads the repository anew; who has the old file keeps it.
func TestReopen(t *testing.T) {
	bothKinds(t, func(t *testing.T, plain bool) {
		s, d := stored(t, plain, roomy)
		d.put(1, "old")
		old := acquire(t, s, 1, true)
		fresh, err := s.Reopen(sum(1))
		if err != nil || fresh == old {
			t.Fatalf("the same file, %v", err)
		}
		wantContent(t, old, "old")
		s.Release(old)
		if !isClosed(old) {
			t.Error("the old file stays open")
		}
		wantContent(t, fresh, "old")
		wantUsed(t, s, 1, fresh.nameless)
		s.Release(fresh)
		d.put(1, "wrong")
		d.wrong["wrong"] = true
		if _, err := s.Reopen(sum(1)); err != errWrong {
			t.Errorf("wrong: %v", err)
		}
		wantUsed(t, s, 0, 0)
		if !isClosed(fresh) {
			t.Error("the file stays open")
		}
	})
}

// TestReopenHeld: what somebody else loaded meanwhile does not do.
func TestReopenHeld(t *testing.T) {
	s, d := stored(t, true, roomy)
	d.put(1, "content")
	old := acquire(t, s, 1, true)
	f, err := s.fly(s.shard(sum(1)), wanted{sum: sum(1), check: true, anew: true})
	if err != nil || f == old || d.opened != 2 {
		t.Errorf("the same file %v, %v, opened %d times", f == old, err, d.opened)
	}
}

// TestFiles lets go of the files that were unused the longest.
func TestFiles(t *testing.T) {
	bothKinds(t, func(t *testing.T, plain bool) {
		s, d := stored(t, plain, Limits{Files: 3, Bytes: 1 << 20})
		var files []*File
		for n := range 6 {
			d.put(n, "content")
			f := acquire(t, s, n, true)
			files = append(files, f)
			s.Release(f)
			if n == 3 { // used again, object 1 is the youngest now
				s.Release(acquire(t, s, 1, true))
			}
		}
		for n, f := range files {
			if held := n == 1 || n >= 4; isClosed(f) == held {
				t.Errorf("object %d is closed: %v", n, !held)
			}
		}
		if files, _ := s.Used(); files != 3 {
			t.Errorf("%d files are held", files)
		}
		opened := d.opened
		s.Release(acquire(t, s, 1, true))
		s.Release(acquire(t, s, 0, true))
		if d.opened != opened+1 {
			t.Errorf("opened %d times for one that was held and one that was not", d.opened-opened)
		}
	})
}

// TestBytes bounds what is inflated to files without a name, but keeps one of
// any size.
func TestBytes(t *testing.T) {
	s, d := stored(t, false, Limits{Files: 100, Bytes: 1000})
	for n := range 20 {
		d.put(n, strings.Repeat("x", 300))
		s.Release(acquire(t, s, n, false))
		if _, bytes := s.Used(); bytes > 1000 {
			t.Fatalf("%d bytes are held", bytes)
		}
	}
	wantUsed(t, s, 3, 900)
	d.put(50, strings.Repeat("x", 5000))
	for range 3 {
		s.Release(acquire(t, s, 50, false))
	}
	wantUsed(t, s, 1, 5000)
	if d.opened != 21 {
		t.Errorf("opened %d times", d.opened)
	}
	s.Release(acquire(t, s, 1, false))
	wantUsed(t, s, 1, 300)
}

// TestInUse: files in use are never closed, also beyond the limits.
func TestInUse(t *testing.T) {
	bothKinds(t, func(t *testing.T, plain bool) {
		s, d := stored(t, plain, Limits{Files: 2, Bytes: 100})
		var used []*File
		for n := range 10 {
			d.put(n, strings.Repeat("x", 50+n))
			used = append(used, acquire(t, s, n, false))
		}
		d.put(20, "idle")
		for range 3 {
			s.Release(acquire(t, s, 20, false))
		}
		for n, f := range used {
			wantContent(t, f, strings.Repeat("x", 50+n))
		}
		for _, f := range used {
			s.Release(f)
		}
		if files, bytes := s.Used(); files > 2 || bytes > 100 {
			t.Errorf("%d files and %d bytes are held", files, bytes)
		}
	})
}

func TestClose(t *testing.T) {
	bothKinds(t, func(t *testing.T, plain bool) {
		s, d := stored(t, plain, roomy)
		d.put(1, "idle")
		d.put(2, "used")
		idle, used := acquire(t, s, 1, true), acquire(t, s, 2, true)
		s.Release(idle)
		s.Close()
		if !isClosed(idle) {
			t.Error("the idle file stays open")
		}
		wantContent(t, used, "used")
		s.Release(used)
		if !isClosed(used) {
			t.Error("the used file stays open")
		}
		wantUsed(t, s, 0, 0)
		if s.Limits() != roomy {
			t.Errorf("limits %v", s.Limits())
		}
	})
}

// TestPanic in the work of one leaves nobody waiting.
func TestPanic(t *testing.T) {
	s, d := stored(t, true, roomy)
	d.put(1, "content")
	d.before = func(n int) {
		if n == 1 {
			panic("the first opening")
		}
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("no panic")
			}
		}()
		s.Acquire(sum(1), true)
	}()
	wantContent(t, acquire(t, s, 1, true), "content")
}

// TestChanged verifies again what was held while its file changed; without a check
// it is given out as it is.
func TestChanged(t *testing.T) {
	s, d := stored(t, true, roomy)
	d.put(1, "right")
	held := acquire(t, s, 1, true)
	s.Release(held)
	settle()
	d.put(1, "wrong")
	d.wrong["wrong"] = true
	if f := acquire(t, s, 1, false); f != held {
		t.Error("without a check it is opened again")
	} else {
		s.Release(f)
	}
	if _, err := s.Acquire(sum(1), true); err != errWrong {
		t.Errorf("changed: %v", err)
	}
	if !isClosed(held) {
		t.Error("the file stays open")
	}
	d.put(1, "right")
	s.Release(acquire(t, s, 1, true))
	if d.open != 0 {
		t.Errorf("%d are left open", d.open)
	}
}

// TestChangedCopy inflates again what was changed in the cache while it was held.
func TestChangedCopy(t *testing.T) {
	s, d := stored(t, false, roomy)
	d.put(1, "right")
	s.Release(acquire(t, s, 1, true))
	opened := d.opened
	s.Release(acquire(t, s, 1, true))
	if d.opened != opened {
		t.Error("what did not change is opened again")
	}
	settle()
	if err := os.WriteFile(d.cachePath(1), []byte("wrong"), 0o600); err != nil {
		t.Fatal(err)
	}
	d.wrong["wrong"] = true
	f := acquire(t, s, 1, true)
	defer s.Release(f)
	wantContent(t, f, "right")
}

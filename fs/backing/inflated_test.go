package backing

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func (d *depot) cachePath(n int) string {
	return filepath.Join(d.cacheDir(), "content", sum(n).String()[:2], sum(n).String()[2:])
}

// cached are the names in the cache.
func (d *depot) cached() []string {
	d.t.Helper()
	found, err := filepath.Glob(filepath.Join(d.cacheDir(), "content", "*", "*"))
	if err != nil {
		d.t.Fatal(err)
	}
	return found
}

// TestShared: content is inflated once for all Stores, and the copy verified by
// each, also where nobody asks for it: then it counts as verified.
func TestShared(t *testing.T) {
	s, d := stored(t, false, roomy)
	d.put(1, "content")
	d.put(2, "")
	acquire(t, s, 1, true)
	acquire(t, s, 2, true)
	for range 3 {
		next := d.store(nil, roomy)
		wantContent(t, acquire(t, next, 1, true), "content")
		wantContent(t, acquire(t, next, 2, true), "")
		if _, bytes := next.Used(); bytes != cost(7)+cost(0) {
			t.Errorf("%d bytes are used", bytes)
		}
	}
	if d.read != 2 || d.copies != 6 || d.open != 0 {
		t.Errorf("read %d times, verified %d copies, %d are open", d.read, d.copies, d.open)
	}
	if st, err := os.Stat(d.cachePath(1)); err != nil || st.Mode() != 0o400 || st.Size() != 7 {
		t.Errorf("%v, %v", st, err)
	}
	for _, dir := range []string{d.cacheDir(), filepath.Dir(filepath.Dir(d.cachePath(1))), filepath.Dir(d.cachePath(1))} {
		if st, err := os.Stat(dir); err != nil || st.Mode().Perm() != 0o700 {
			t.Errorf("%v, %v", st, err)
		}
	}
	last := d.store(nil, roomy)
	wantContent(t, acquire(t, last, 1, false), "content")
	wantContent(t, acquire(t, last, 1, true), "content")
	if d.read != 2 || d.copies != 7 {
		t.Errorf("read %d times, verified %d copies", d.read, d.copies)
	}
}

// TestDamagedCopy is inflated anew, and the damage gone.
func TestDamagedCopy(t *testing.T) {
	for name, spoil := range map[string]func(path string) error{
		"content": func(path string) error { return os.WriteFile(path, []byte("CONTENT"), 0) },
		"shorter": func(path string) error { return os.Truncate(path, 6) },
		"longer":  func(path string) error { return os.Truncate(path, 8) },
		"group":   func(path string) error { return os.Chmod(path, 0o420) },
		"others":  func(path string) error { return os.Chmod(path, 0o402) },
		"pipe":    func(path string) error { os.Remove(path); return unix.Mkfifo(path, 0o400) },
		"symlink": func(path string) error { os.Rename(path, path+"x"); return os.Symlink(path+"x", path) },
	} {
		t.Run(name, func(t *testing.T) {
			s, d := stored(t, false, roomy)
			d.put(1, "content")
			held := acquire(t, s, 1, true)
			if err := errors.Join(os.Chmod(d.cachePath(1), 0o600), spoil(d.cachePath(1))); err != nil {
				t.Fatal(err)
			}
			next := d.store(nil, roomy)
			wantContent(t, acquire(t, next, 1, true), "content")
			if d.read != 2 {
				t.Errorf("inflated %d times", d.read)
			}
			if st, err := os.Lstat(d.cachePath(1)); err != nil || st.Mode() != 0o400 || st.Size() != 7 {
				t.Errorf("%v, %v", st.Mode(), err)
			}
			wantContent(t, acquire(t, d.store(nil, roomy), 1, true), "content")
			if _, bytes := next.Used(); bytes > 2*cost(7) {
				t.Errorf("%d bytes are counted", bytes)
			}
			held.close()
		})
	}
}

// TestDamagedCopyUnchecked: those who want no check don't get it either.
func TestDamagedCopyUnchecked(t *testing.T) {
	for name, damage := range map[string]string{"content": "CONTENT", "zeros": "\x00\x00\x00\x00\x00\x00\x00", "longer": "content!"} {
		t.Run(name, func(t *testing.T) {
			s, d := stored(t, false, roomy)
			d.put(1, "content")
			acquire(t, s, 1, true)
			if err := errors.Join(os.Chmod(d.cachePath(1), 0o600), os.WriteFile(d.cachePath(1), []byte(damage), 0)); err != nil {
				t.Fatal(err)
			}
			wantContent(t, acquire(t, d.store(nil, roomy), 1, false), "content")
			if left := d.cached(); len(left) != 0 {
				t.Errorf("cached %v", left)
			}
		})
	}
}

// TestUnverified content never enters the cache, wrong or right, nor does what
// turns out to be wrong.
func TestUnverified(t *testing.T) {
	s, d := stored(t, false, roomy)
	d.put(1, "right")
	d.put(2, "wrong")
	d.wrong["wrong"] = true
	wantContent(t, acquire(t, s, 1, false), "right")
	wantContent(t, acquire(t, s, 2, false), "wrong")
	if _, err := s.Acquire(sum(2), true); err != errWrong {
		t.Error(err)
	}
	if left := d.cached(); len(left) != 0 {
		t.Errorf("cached %v", left)
	}
	acquire(t, s, 1, true)
	if left := d.cached(); len(left) != 1 {
		t.Errorf("cached %v", left)
	}
}

// TestNoCache: where the directory is not ours alone, content is held without it.
func TestNoCache(t *testing.T) {
	content := func(dir string) string { return filepath.Join(dir, "content") }
	for name, spoil := range map[string]func(dir string) error{
		"group":         func(dir string) error { return os.Chmod(dir, 0o770) },
		"others":        func(dir string) error { return os.Chmod(dir, 0o702) },
		"content group": func(dir string) error { return os.Chmod(content(dir), 0o770) },
		"a file": func(dir string) error {
			os.RemoveAll(dir)
			return os.WriteFile(dir, nil, 0o600)
		},
		"content a link": func(dir string) error { os.Rename(content(dir), dir+"x"); return os.Symlink(dir+"x", content(dir)) },
		"foreign": func(dir string) error {
			if os.Geteuid() != 0 {
				return os.Chmod(dir, 0o777)
			}
			return os.Chown(dir, 12345, 0)
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := depotOf(t, false)
			if err := os.MkdirAll(content(d.cacheDir()), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := spoil(d.cacheDir()); err != nil {
				t.Fatal(err)
			}
			s := d.store(nil, roomy)
			d.put(1, "content")
			f := acquire(t, s, 1, true)
			wantContent(t, f, "content")
			wantUsed(t, s, 1, 7)
			if left := d.cached(); len(left) != 0 {
				t.Errorf("cached %v", left)
			}
		})
	}
}

// TestCacheRemoved: who removes the cache while it is used gets a new one.
func TestCacheRemoved(t *testing.T) {
	s, d := stored(t, false, roomy)
	for n := range 4 {
		d.put(n, "content")
		f := acquire(t, s, n, true)
		if n%2 == 1 {
			if err := os.RemoveAll(d.cacheDir()); err != nil {
				t.Fatal(err)
			}
		}
		wantContent(t, f, "content")
	}
	d.put(4, "content")
	acquire(t, s, 4, true)
	if left := d.cached(); len(left) != 1 || left[0] != d.cachePath(4) {
		t.Errorf("cached %v", left)
	}
}

// TestSharedRace uses one cache through several Stores, while it is too small and
// somebody removes files.
func TestSharedRace(t *testing.T) {
	d := depotOf(t, false)
	record := opened(t, filepath.Join(d.dir, "verified"))
	content := func(n int) string { return strings.Repeat(fmt.Sprintf("object %d ", n), 500) }
	for n := range 40 {
		d.put(n, content(n))
	}
	var wg sync.WaitGroup
	for worker := range 6 {
		s := NewStore(d.Open, NewInflated(d.cacheDir(), 20*cost(5000)), record, Limits{Files: 2, Bytes: 10000})
		t.Cleanup(s.Close)
		wg.Go(func() {
			for i := range 150 {
				n := (i*7 + worker*11) % 40
				f, err := s.Acquire(sum(n), true)
				if err != nil {
					t.Error(err)
					return
				}
				if wantContent(t, f, content(n)); i%20 == 0 {
					os.Remove(d.cachePath(n))
				}
				s.Release(f)
			}
		})
	}
	wg.Wait()
}

// waitFor waits until an eviction made something true.
func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal(what)
		}
	}
}

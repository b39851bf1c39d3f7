package backing

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"
)

// TestHugeClaim: content that promises more than the disk holds is refused before anything is written.
func TestHugeClaim(t *testing.T) {
	s, d := stored(t, false, Limits{Files: 4, Bytes: 1 << 20})
	d.put(1, "small")
	d.claim = 1 << 60
	if _, err := s.Acquire(sum(1), true); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("got %v, want no space", err)
	}
	d.claim = 0
	f, err := s.Acquire(sum(1), true)
	if err != nil {
		t.Fatal(err)
	}
	s.Release(f)
}

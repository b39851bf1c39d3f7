package backing

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// exhaust leaves the process no descriptor but those that are given back.
func exhaust(t *testing.T) {
	t.Helper()
	next, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	free := uint64(next.Fd())
	next.Close()
	var old syscall.Rlimit
	if err := syscall.Getrlimit(unix.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Setrlimit(unix.RLIMIT_NOFILE, &old) })
	if err := syscall.Setrlimit(unix.RLIMIT_NOFILE, &syscall.Rlimit{Cur: free, Max: old.Max}); err != nil {
		t.Fatal(err)
	}
}

// TestNoDescriptors: files that nobody uses give their descriptors to those that
// are wanted; when all are used, that is the error, and it passes.
func TestNoDescriptors(t *testing.T) {
	s, d := stored(t, true, roomy)
	for n := range 12 {
		d.put(n, fmt.Sprint("content ", n))
	}
	for n := range 4 {
		s.Release(acquire(t, s, n, true))
	}
	exhaust(t)
	var held []*File
	for n := 4; n < 8; n++ {
		f := acquire(t, s, n, true)
		wantContent(t, f, fmt.Sprint("content ", n))
		held = append(held, f)
	}
	if _, err := s.Acquire(sum(8), true); !errors.Is(err, unix.EMFILE) {
		t.Errorf("with all descriptors in use: %v", err)
	}
	for _, f := range held {
		s.Release(f)
	}
	f := acquire(t, s, 8, true)
	wantContent(t, f, "content 8")
	s.Release(f)
}

package fault

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// TestCatch reads a mapping whose file is cut.
func TestCatch(t *testing.T) {
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(1 << 16); err != nil {
		t.Fatal(err)
	}
	data, err := unix.Mmap(int(f.Fd()), 0, 1<<16, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(data)
	sum := byte(0)
	read := func() { sum += data[len(data)-1] }
	if Catch(read) {
		t.Error("a whole file")
	}
	if err := f.Truncate(0); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if !Catch(read) {
			t.Error("a file that was cut can be read")
		}
	}
	if n := testing.AllocsPerRun(100, func() { Catch(func() { sum++ }) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestOtherPanics go on.
func TestOtherPanics(t *testing.T) {
	for _, what := range []any{"text", os.ErrClosed} {
		func() {
			defer func() {
				if found := recover(); found != what {
					t.Errorf("%v, want %v", found, what)
				}
			}()
			Catch(func() { panic(what) })
		}()
	}
}

package checkout

import (
	"os"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// TestRemoveStale: what a checkout has left goes, what one is filling and what is called otherwise stays.
func TestRemoveStale(t *testing.T) {
	path := t.TempDir()
	dir, err := unix.Open(path, unix.O_PATH|unix.O_DIRECTORY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(dir)
	used, fd, err := makeAside(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	for _, name := range []string{".checkout-AAAAAAAAAAAA/a/b", ".checkout-mine", ".checkout-AAAAAAAAAAAAA"} {
		if err := os.MkdirAll(path+"/"+name, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(path+"/.checkout-BBBBBBBBBBBB", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	removeStale(dir)
	list, err := os.ReadDir(path)
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, e := range list {
		left = append(left, e.Name())
	}
	want := []string{".checkout-AAAAAAAAAAAAA", ".checkout-BBBBBBBBBBBB", ".checkout-mine", used}
	slices.Sort(want)
	if !slices.Equal(left, want) {
		t.Errorf("left %q, want %q", left, want)
	}
}

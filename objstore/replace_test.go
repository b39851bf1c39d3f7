package objstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"testing"
)

// TestReplaceBesideOthers: what a process with the same number has in tmp is neither in
// the way nor touched.
func TestReplaceBesideOthers(t *testing.T) {
	b := build(t, "bare")
	r := b.open()
	b.check(r.MakeTmp())
	other := func(i int) string { return fmt.Sprintf("tmp/deployfs-%d-%d", os.Getpid(), i) }
	for i := range 200 {
		b.check(os.WriteFile(b.file(other(i)), []byte("theirs"), 0o600))
	}
	b.check(r.Replace(r.Dir(), "state/mine", []byte("mine"), 0o644))
	if data, err := os.ReadFile(b.file("state/mine")); string(data) != "mine" {
		t.Errorf("%q, %v", data, err)
	}
	if err := writeNew(r.Dir(), other(7), nil, 0o644, false); !errors.Is(err, fs.ErrExist) {
		t.Errorf("written over another's file: %v", err)
	}
	for i := range 200 {
		if data, err := os.ReadFile(b.file(other(i))); string(data) != "theirs" {
			t.Fatalf("%s: %q, %v", other(i), data, err)
		}
	}
}

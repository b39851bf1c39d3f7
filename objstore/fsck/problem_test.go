package fsck

import (
	"testing"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/object"
)

// TestHint: only what is corrupt is to be removed; what can't be read may be good.
func TestHint(t *testing.T) {
	name := object.Name{Kind: object.KindFile}
	for _, c := range []struct {
		err  error
		want bool
	}{
		{object.Mismatch(name, object.Checksum{1}), true},
		{object.Corrupt(name, unix.EINVAL), true},
		{&objstore.ReadError{Object: name, Err: unix.EACCES}, false},
		{&object.NotExistError{Object: name}, false},
	} {
		p := problemOf(name, c.err)
		if got := p.Hint() != ""; got != c.want {
			t.Errorf("%v: %q", c.err, p.Hint())
		}
	}
}

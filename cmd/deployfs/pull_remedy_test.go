package main

import (
	"errors"
	"testing"

	"deployfs/objstore/object"
)

func TestBranchRemedy(t *testing.T) {
	for _, c := range []struct{ text, remote, want string }{
		{"No configured branches for remote o", "o", "name a branch; `ostree remote refs o` lists them, if the server has a summary"},
		{"No such branch 'x' in repository summary", "o", "`ostree remote refs o` lists the branches there are"},
		{"No such branch 'x' in repository summary", "file:///srv/repo", ""},
		{"Server returned HTTP 404", "o", ""},
	} {
		err, hint := branchRemedy(errors.New(c.text), c.remote), ""
		if h := interface{ Hint() string }(nil); errors.As(err, &h) {
			hint = h.Hint()
		}
		if err.Error() != c.text || hint != c.want {
			t.Errorf("%s of %s: %v, %q, want %q", c.text, c.remote, err, hint, c.want)
		}
	}
}

func TestParentRemedy(t *testing.T) {
	parent := object.Checksum{1}
	absent := func(sum object.Checksum, kind object.Kind) error {
		return &object.NotExistError{Object: object.Name{Checksum: sum, Kind: kind}}
	}
	for _, c := range []struct {
		err    error
		meant  bool
		isHint bool
	}{
		{errors.New("Commit 45d6 has no parent"), true, true},
		{errors.New("Commit 45d6 has no parent"), false, false}, // --from=v1^
		{errors.New("Refspec 'x' not found"), true, false},
		{absent(parent, object.KindCommit), true, true}, // pulled without its history
		{absent(parent, object.KindCommit), false, false},
		{absent(object.Checksum{2}, object.KindCommit), true, false},
		{absent(parent, object.KindDirTree), true, false},
	} {
		err := parentRemedy(c.err, parent, c.meant)
		h := interface{ Hint() string }(nil)
		if err.Error() != c.err.Error() || errors.As(err, &h) != c.isHint {
			t.Errorf("%+v: %#v", c, err)
		}
	}
	if err := parentRemedy(nil, parent, true); err != nil {
		t.Error(err)
	}
}

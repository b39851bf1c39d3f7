package main

import (
	"errors"
	"testing"
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
	for _, c := range []struct {
		text   string
		parent bool
		isHint bool
	}{
		{"Commit 45d6 has no parent", true, true},
		{"Commit 45d6 has no parent", false, false}, // --from=v1^
		{"Refspec 'x' not found", true, false},
	} {
		err := parentRemedy(errors.New(c.text), c.parent)
		h := interface{ Hint() string }(nil)
		if err.Error() != c.text || errors.As(err, &h) != c.isHint {
			t.Errorf("%+v: %#v", c, err)
		}
	}
}

package main

import (
	"errors"
	"testing"

	"deployfs/cmd/internal/cli"
)

// TestNoRepo: who names a commit on a server to a verb that takes none is told so.
func TestNoRepo(t *testing.T) {
	for _, c := range []struct {
		arg           string
		terse, isHint bool
	}{
		{"main", false, false},
		{"https://host/repo#main", false, true},
		{"https://host/repo#main", true, false},
		{"https://host/repo", false, false},
		{"dir#main", false, false},
	} {
		err := noRepo(&cli.Invocation{Program: &cli.Program{Terse: c.terse}, Args: []string{"x", c.arg}})
		var hint interface{ Hint() string }
		if err.Error() != cli.ErrNoRepo.Error() || errors.As(err, &hint) != c.isHint || errors.Is(err, cli.ErrNoRepo) == c.isHint {
			t.Errorf("%+v: %#v", c, err)
		}
	}
}

package main

import (
	"slices"

	"deployfs/cmd/internal/cli"
	"deployfs/objstore"
)

func staticDeltaVerb() cli.Verb {
	return cli.Verb{
		Name: "static-delta", Args: "COMMAND", Short: "Static delta related commands",
		Long: "A static delta leads from one commit, or from none, to another in a few files, so that who pulls need not ask for each object. " +
			"A repository keeps its deltas in the directory deltas, each called FROM-TO or TO.",
		Verbs: []cli.Verb{
			staticDeltaListVerb(), staticDeltaShowVerb(), staticDeltaDeleteVerb(),
			staticDeltaGenerateVerb(), staticDeltaApplyVerb(), staticDeltaVerifyVerb(),
			staticDeltaIndexesVerb(), staticDeltaReindexVerb(),
		},
	}
}

// completeDelta completes the name of a delta of the repository, as the first argument.
func completeDelta(inv *cli.Invocation, _ string) (c cli.Completion) {
	if len(inv.Args) > 0 {
		return c
	}
	repo, err := openRepo(inv)
	if err != nil {
		return c
	}
	defer repo.Close()
	_ = repo.EachDelta(func(d objstore.Delta) error {
		c.Words = append(c.Words, d.String())
		return nil
	})
	return c
}

// completeTarget completes the checksum of a commit that a delta leads to.
func completeTarget(inv *cli.Invocation, _ string) (c cli.Completion) {
	repo, err := openRepo(inv)
	if err != nil {
		return c
	}
	defer repo.Close()
	_ = repo.EachDelta(func(d objstore.Delta) error {
		if to := d.To.String(); !slices.Contains(c.Words, to) {
			c.Words = append(c.Words, to)
		}
		return nil
	})
	return c
}

// completeNothing is for who takes no argument.
func completeNothing(*cli.Invocation, string) cli.Completion { return cli.Completion{} }

// errNoDelta is worded as ostree's.
const errNoDelta = cli.Words("DELTA must be specified")

package main

import (
	"context"
	"slices"

	"deployfs/cmd/internal/cli"
	"deployfs/objstore"
	"deployfs/objstore/object"
	"deployfs/objstore/refs"
	"deployfs/objstore/transaction"
)

func resetVerb() cli.Verb {
	return cli.Verb{
		Name: "reset", Args: "REF COMMIT", Short: "Reset a REF to a previous COMMIT",
		Long:     "REF, which is there and may be REMOTE:REF, leads to COMMIT from then on, which may be any commit of the repository. No commit is deleted: prune does that.",
		Examples: []cli.Example{{Command: "deployfs reset os/main os/main^", Text: "take the last commit of a ref back"}},
		Complete: completeRevs,
		Run:      withRepo(runReset),
	}
}

func runReset(ctx context.Context, inv *cli.Invocation, repo *objstore.Repo) error {
	if err := repo.CheckWritable(); err != nil {
		return err
	}
	if len(inv.Args) < 2 {
		return &cli.UsageError{Text: "A REF and COMMIT argument is required"}
	}
	all, err := repo.Refs()
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(ref objstore.Ref) bool { return ref.String() == inv.Args[0] })
	if i < 0 {
		return cli.Words("Invalid ref '" + inv.Args[0] + "'")
	}
	sum, err := resolveCommit(repo, inv.Args[1])
	if err != nil {
		return err
	}
	name := refs.Name{Remote: all[i].Remote, Ref: all[i].Ref}
	return transaction.UpdateRefs(ctx, repo, map[refs.Name]object.Checksum{name: sum})
}

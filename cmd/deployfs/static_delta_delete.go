package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"deployfs/cmd/internal/cli"
	"deployfs/objstore"
	"deployfs/objstore/delta"
)

func staticDeltaDeleteVerb() cli.Verb {
	return cli.Verb{
		Name: "delete", Args: "DELTA", Short: "Remove a delta",
		Long:     "Indexes and the summary go on naming it until they are made anew.",
		Examples: []cli.Example{{Command: "deployfs static-delta delete \"$old-$new\"", Text: "delete what leads from a commit to another"}},
		Complete: completeDelta,
		Run: withRepo(func(_ context.Context, inv *cli.Invocation, repo *objstore.Repo) error {
			if len(inv.Args) == 0 {
				return errNoDelta
			}
			d, err := delta.ParseName(inv.Args[0])
			if err != nil {
				return err
			}
			if err = repo.RemoveDelta(d); errors.Is(err, fs.ErrNotExist) {
				err = fmt.Errorf("Can't find delta %s", inv.Args[0])
			}
			return err
		}),
	}
}

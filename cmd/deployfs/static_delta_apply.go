package main

import (
	"context"
	"errors"

	"deployfs/cmd/internal/cli"
	"deployfs/objstore"
	"deployfs/objstore/delta"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/trust"
)

func staticDeltaApplyVerb() cli.Verb {
	k := newDeltaKeys()
	return cli.Verb{
		Name: "apply-offline", Args: "PATH [KEY-ID...]", Short: "Apply static delta file",
		Long: "PATH is the directory of a delta or its superblock. The commit that it leads to is there then; no ref leads to it. " +
			"Each object is checked by its name, and the commit appears when all that it needs is there.\n\n" +
			"Where a key is named, by any option, or core.sign-verify-deltas is true, the delta must be signed by one that counts. Else one that is not signed is taken, too.\n\n" + deltaKeysText,
		Options: k.options(""),
		Examples: []cli.Example{
			{Command: "deployfs static-delta apply-offline /media/stick/update", Text: "take over a commit from a stick"},
			{Command: "deployfs static-delta apply-offline --keys-file=keys.pub update.delta", Text: "only if it is signed with one of these keys"},
		},
		Complete: func(inv *cli.Invocation, _ string) cli.Completion { return cli.Completion{Files: len(inv.Args) == 0} },
		Run: withRepo(func(ctx context.Context, inv *cli.Invocation, repo *objstore.Repo) error {
			if err := repo.CheckWritable(); err != nil {
				return err
			}
			if len(inv.Args) == 0 {
				return cli.Words("PATH must be specified")
			}
			verify, err := k.policy(inv.Args[1:])
			if err != nil {
				return err
			}
			return delta.ApplyOffline(ctx, repo, inv.Args[0], verify)
		}),
	}
}

// policy judges a delta by keys. It is nil where none is named and none stored; where
// only the system's are there, a delta need not be signed.
func (k *deltaKeys) policy(keys []string) (func([]byte, gvariant.Value) error, error) {
	named := len(keys) > 0 || k.keyFile != "" || k.keyDir != ""
	checkers, err := k.checkers(keys)
	if none := (*trust.NoKeysError)(nil); !named && errors.As(err, &none) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return func(superblock []byte, signatures gvariant.Value) error {
		if !named && signatures.Type() == "" {
			return nil
		}
		_, err := k.verify(checkers, superblock, signatures)
		return err
	}, nil
}

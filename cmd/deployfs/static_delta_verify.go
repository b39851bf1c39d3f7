package main

import (
	"context"
	"fmt"

	"deployfs/cmd/internal/cli"
	"deployfs/objstore"
	"deployfs/objstore/delta"
	"deployfs/objstore/sign"
)

func staticDeltaVerifyVerb() cli.Verb {
	k := newDeltaKeys()
	return cli.Verb{
		Name: "verify", Args: "STATIC-DELTA-FILE [KEY-ID...]", Short: "Verify static delta signatures", JSON: true,
		Long:     "STATIC-DELTA-FILE is the name of a delta of the repository, or the path of a superblock, with a slash in it. One good signature is enough.\n\n" + deltaKeysText,
		Options:  k.options(""),
		Examples: []cli.Example{{Command: "deployfs static-delta verify --keys-file=keys.pub \"$old-$new\"", Text: "check that one of these keys has signed a delta"}},
		Complete: completeDelta,
		Run: withRepo(func(_ context.Context, inv *cli.Invocation, repo *objstore.Repo) error {
			return k.run(inv, repo)
		}),
	}
}

// deltaVerdictJSON is a good signature of a static delta.
type deltaVerdictJSON struct {
	Delta   string `json:"delta"`   // as it was named
	Type    string `json:"type"`    // of the signature: ed25519, dummy
	Message string `json:"message"` // which signature it is, in words
}

func (k *deltaKeys) run(inv *cli.Invocation, repo *objstore.Repo) error {
	if len(inv.Args) == 0 {
		return errNoDelta
	}
	checkers, err := k.checkers(inv.Args[1:])
	if err == sign.ErrNoScheme && !inv.JSON {
		fmt.Fprintln(inv.Stdout, "Sign-type not supported")
	}
	if err != nil {
		return err
	}
	message, err := "", error(nil)
	if file, failed := delta.Find(repo, inv.Args[0]); failed != nil {
		err = failed
	} else {
		defer file.Close()
		superblock, signatures, _ := delta.Signed(file.Bytes())
		message, err = k.verify(checkers, superblock, signatures)
	}
	switch {
	case inv.JSON && err == nil:
		return cli.WriteJSON(inv.Stdout, deltaVerdictJSON{inv.Args[0], k.scheme, message})
	case inv.JSON:
	case err == nil:
		fmt.Fprintln(inv.Stdout, "Verification OK")
	default:
		fmt.Fprintln(inv.Stdout, "Verification fails")
	}
	return err
}

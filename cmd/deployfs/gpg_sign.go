package main

import (
	"context"
	"fmt"

	"deployfs/cmd/internal/cli"
	"deployfs/objstore"
	"deployfs/objstore/attest"
	"deployfs/objstore/object"
	"deployfs/objstore/openpgp"
)

type gpgSign struct {
	remove bool
	home   string
}

func gpgSignVerb() cli.Verb {
	var g gpgSign
	return cli.Verb{
		Name: "gpg-sign", Args: "COMMIT KEY-ID...", Short: "Sign a commit",
		Long: "The program gpg signs, once with each key. A KEY-ID is a key's id or fingerprint, or text of its user id.\n\n" +
			"A key that has signed the commit before is refused, as far as its public key is known from a keyring of the repository, the global keyrings or a file *.gpg in HOMEDIR.",
		Options: []cli.Option{
			cli.Flag(&g.remove, "delete", "d", "Delete signatures having any of the GPG KEY-IDs"),
			cli.String(&g.home, "gpg-homedir", "", "HOMEDIR", "GPG Homedir to use when looking for keyrings"),
		},
		Examples: []cli.Example{
			{Command: "deployfs gpg-sign os/main 7FCA23D8472CDAFA", Text: "sign the newest commit"},
			{Command: "deployfs gpg-sign --delete os/main 7FCA23D8472CDAFA", Text: "take that signature away"},
		},
		Complete: completeRev,
		Run:      withRepo(g.run),
	}
}

func (g *gpgSign) run(ctx context.Context, inv *cli.Invocation, repo *objstore.Repo) error {
	switch len(inv.Args) {
	case 0:
		return &cli.UsageError{Text: "Need a COMMIT to sign"}
	case 1:
		return &cli.UsageError{Text: "Need at least one GPG KEY-ID to sign with"}
	}
	commit, err := repo.Resolve(inv.Args[0])
	if err != nil {
		return err
	}
	keyIDs := inv.Args[1:]
	if g.remove {
		deleted, err := attest.DeleteGPG(repo, commit, g.home, keyIDs)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(inv.Stdout, "Signatures deleted: %d\n", deleted)
		return err
	}
	return signGPG(ctx, repo, commit, g.home, keyIDs)
}

// signGPG signs a commit with each of the keys.
func signGPG(ctx context.Context, repo *objstore.Repo, commit object.Checksum, home string, keyIDs []string) error {
	for _, id := range keyIDs {
		if err := attest.SignGPG(ctx, repo, commit, openpgp.Signer{Home: home, KeyID: id}); err != nil {
			return err
		}
	}
	return nil
}

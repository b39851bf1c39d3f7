package main

import (
	"context"
	"fmt"

	"deployfs/cmd/internal/cli"
	"deployfs/objstore"
	"deployfs/objstore/attest"
	"deployfs/objstore/object"
	"deployfs/objstore/sign"
)

type signOptions struct {
	remove, verify bool
	checkerOptions
}

func signVerb() cli.Verb {
	o := signOptions{checkerOptions: checkerOptions{scheme: defaultScheme}}
	return cli.Verb{
		Name: "sign", Args: "COMMIT KEY-ID...", Short: "Sign a commit", JSON: true, Long: signText,
		Options: append([]cli.Option{
			cli.Flag(&o.remove, "delete", "d", "Delete signatures having any of the KEY-IDs"),
			cli.Flag(&o.verify, "verify", "", "Verify signatures"),
		}, o.options("s")...),
		Examples: []cli.Example{
			{Command: "deployfs sign --keys-file=secret os/main", Text: "sign the newest commit with the keys in a file"},
			{Command: "deployfs sign --sign-type=spki --keys-file=key.pem os/main", Text: "with a key that openssl has made"},
			{Command: "deployfs sign --verify os/main", Text: "check that somebody whom the system trusts has signed it"},
		},
		Complete: completeRev,
		Run:      withRepo(o.run),
	}
}

const signText = "A KEY-ID is, to sign, a secret key; to verify or delete, a public key. " + secretText + `

A public key of ed25519 is base64 of 32 bytes; one of spki base64 of a SubjectPublicKeyInfo in DER, or in a file a block PUBLIC KEY of PEM.

Keys to verify with that are given replace those of the system, which are in trusted.NAME and trusted.NAME.d below /etc/ostree and /usr/share/ostree, NAME being the type, without those in revoked.NAME and revoked.NAME.d there.

--json is for --verify.`

func (o *signOptions) run(ctx context.Context, inv *cli.Invocation, repo *objstore.Repo) error {
	switch {
	case inv.JSON && !o.verify:
		return &cli.UsageError{Text: "--json needs --verify"}
	case len(inv.Args) == 0:
		return &cli.UsageError{Text: "Need a COMMIT to sign or verify"}
	case len(inv.Args) == 1 && !o.verify && o.keyFile == "":
		return &cli.UsageError{Text: "Need at least one KEY-ID to sign with"}
	}
	commit, err := repo.Resolve(inv.Args[0])
	if err != nil {
		return err
	}
	if err := o.known(); err != nil {
		return err
	}
	keys := inv.Args[1:]
	switch {
	case o.verify:
		return o.check(inv, repo, commit, keys)
	case o.remove:
		return o.delete(inv, repo, commit, keys)
	}
	return o.sign(ctx, repo, commit, keys)
}

// sign signs with the keys given, then with those of the file.
func (o *signOptions) sign(ctx context.Context, repo *objstore.Repo, commit object.Checksum, keys []string) error {
	var signers []sign.Signer
	for _, key := range keys {
		signer, err := sign.NewSigner(o.scheme, key)
		if err != nil {
			return err
		}
		signers = append(signers, signer)
	}
	if o.keyFile != "" {
		more, err := signersOf(o.scheme, o.keyFile)
		if err != nil {
			return err
		}
		signers = append(signers, more...)
	}
	return attest.Sign(ctx, repo, commit, signers...)
}

// check tries each key by itself, then those of the file; without any, the system's.
func (o *signOptions) check(inv *cli.Invocation, repo *objstore.Repo, commit object.Checksum, keys []string) error {
	for _, key := range keys {
		checker, err := sign.NewChecker(o.scheme, key)
		if err != nil {
			continue
		}
		if message, err := attest.Check(repo, commit, checker); err == nil {
			return o.verified(inv, commit, message)
		}
	}
	if len(keys) > 0 && o.keyFile == "" {
		return cli.Words("No valid signatures found")
	}
	checker, err := o.stored()
	if err != nil {
		return err
	}
	message, err := attest.Check(repo, commit, checker)
	if err != nil {
		return err
	}
	return o.verified(inv, commit, message)
}

// signatureJSON is a good signature of a commit.
type signatureJSON struct {
	Commit  string `json:"commit"`
	Type    string `json:"type"`    // of the signature: ed25519, dummy
	Message string `json:"message"` // which signature it is, in words
}

func (o *signOptions) verified(inv *cli.Invocation, commit object.Checksum, message string) error {
	if inv.JSON {
		return cli.WriteJSON(inv.Stdout, signatureJSON{commit.String(), o.scheme, message})
	}
	_, err := fmt.Fprintln(inv.Stdout, message)
	return err
}

// delete takes signatures away.
func (o *signOptions) delete(inv *cli.Invocation, repo *objstore.Repo, commit object.Checksum, keys []string) error {
	var checkers []sign.Scheme
	for _, key := range keys {
		checker, err := sign.NewChecker(o.scheme, key)
		if err != nil {
			return fmt.Errorf("KEY-ID %s: %w", key, err)
		}
		checkers = append(checkers, checker)
	}
	if o.keyFile != "" {
		checker, err := o.stored()
		if err != nil {
			return err
		}
		checkers = append(checkers, checker)
	}
	deleted, err := attest.Delete(repo, commit, checkers...)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(inv.Stdout, "Signatures deleted: %d\n", deleted)
	return err
}

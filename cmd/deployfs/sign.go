package main

import (
	"bytes"
	"context"
	"fmt"
	"os"

	"deployfs/cmd/internal/cli"
	"deployfs/objstore"
	"deployfs/objstore/attest"
	"deployfs/objstore/object"
	"deployfs/objstore/sign"
	"deployfs/objstore/trust"
)

type signOptions struct {
	remove, verify          bool
	scheme, keyFile, keyDir string
}

func signVerb() cli.Verb {
	o := signOptions{scheme: "ed25519"}
	return cli.Verb{
		Name: "sign", Args: "COMMIT KEY-ID...", Short: "Sign a commit", JSON: true,
		Long: "A KEY-ID of ed25519 is, to sign, the secret key: base64 of seed and public key, 64 bytes; to verify or delete, the public key: base64 of 32 bytes. A file of keys has one a line.\n\n" +
			"Keys to verify with that are given replace those of the system, which are in trusted.ed25519 and trusted.ed25519.d below /etc/ostree and /usr/share/ostree, without those in revoked.ed25519 and revoked.ed25519.d there.\n\n" +
			"--json is for --verify.",
		Options: []cli.Option{
			cli.Flag(&o.remove, "delete", "d", "Delete signatures having any of the KEY-IDs"),
			cli.Flag(&o.verify, "verify", "", "Verify signatures"),
			schemeOption(&o.scheme, "sign-type", "s"),
			cli.String(&o.keyFile, "keys-file", "", "NAME", "Read keys from file"),
			cli.String(&o.keyDir, "keys-dir", "", "NAME", "Redefine system-wide directories with public and revoked keys for verification"),
		},
		Examples: []cli.Example{
			{Command: "deployfs sign --keys-file=secret os/main", Text: "sign the newest commit with the keys in a file"},
			{Command: "deployfs sign --verify os/main", Text: "check that somebody whom the system trusts has signed it"},
		},
		Complete: completeRev,
		Run:      withRepo(o.run),
	}
}

// schemeOption is the name of a kind of signature.
func schemeOption(scheme *string, name, short string) cli.Option {
	o := cli.String(scheme, name, short, "NAME", "Signature type to use (defaults to 'ed25519')")
	o.Values = []string{"ed25519", "dummy"}
	return o
}

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
	if _, err := sign.NewChecker(o.scheme, ""); err == sign.ErrNoScheme {
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
	if o.keyFile != "" {
		more, err := secretsIn(o.keyFile)
		if err != nil {
			return err
		}
		keys = append(keys, more...)
	}
	for _, key := range keys {
		signer, err := sign.NewSigner(o.scheme, key)
		if err != nil {
			return err
		}
		if err := attest.Sign(ctx, repo, commit, signer); err != nil {
			return err
		}
	}
	return nil
}

// secretsIn are the lines of a file that hold a key.
func secretsIn(path string) (keys []string, err error) {
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return nil, cli.Words("File object '" + path + "' is not a regular file")
	}
	data, err := os.ReadFile(path)
	for line := range bytes.Lines(data) {
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' {
			keys = append(keys, string(line))
		}
	}
	if err == nil && keys == nil {
		err = fmt.Errorf("no keys in file '%s'", path)
	}
	return keys, err
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

// stored are the public keys of the file, or of the system.
func (o *signOptions) stored() (sign.Checker, error) {
	switch {
	case o.scheme != "ed25519":
		return nil, cli.Words("keys of type " + o.scheme + " are stored nowhere; name a KEY-ID behind the commit")
	case o.keyFile != "":
		return trust.KeyFile(o.keyFile)
	}
	return trust.KeyStore(o.keyDir)
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

package main

import (
	"errors"
	"fmt"

	"deployfs/cmd/internal/cli"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/sign"
	"deployfs/objstore/trust"
)

// deltaKeys say by whom a delta must be signed.
type deltaKeys struct{ scheme, file, dir string }

func (k *deltaKeys) options() []cli.Option {
	return []cli.Option{
		schemeOption(&k.scheme, "sign-type", ""),
		cli.String(&k.file, "keys-file", "", "NAME", "Read key(s) from file"),
		cli.String(&k.dir, "keys-dir", "", "NAME", "Redefine system-wide directories with public and revoked keys for verification"),
	}
}

const deltaKeysText = "A KEY-ID is a public key: for ed25519 base64 of 32 bytes. A file of keys has one a line. " +
	"Without any, those of the system count, which are in trusted.ed25519 and trusted.ed25519.d below /etc/ostree and /usr/share/ostree, without those in revoked.ed25519 and revoked.ed25519.d there."

// errSchemeless is that a scheme has no keys but those of a command line, in ostree's words.
const errSchemeless = cli.Words("not implemented")

// checkers are those of the keys given, and of the file; without a key, or with a file,
// those that are stored. One that is content is enough.
func (k *deltaKeys) checkers(keys []string) (list []sign.Checker, err error) {
	if _, err := sign.NewChecker(k.scheme, ""); err == sign.ErrNoScheme {
		return nil, err
	}
	var given sign.Ed25519
	for _, key := range keys {
		checker, err := sign.NewChecker(k.scheme, key)
		if err != nil {
			return nil, err
		}
		if one, ok := checker.(*sign.Ed25519); ok {
			given.Trusted = append(given.Trusted, one.Trusted...)
		} else {
			list = []sign.Checker{checker} // as in ostree, the last one counts
		}
	}
	if len(keys) == 0 || k.file != "" {
		stored, err := k.stored()
		if err != nil {
			return nil, err
		}
		given.Trusted = append(given.Trusted, stored.Trusted...)
		given.Revoked = stored.Revoked
	}
	if len(given.Trusted) > 0 {
		list = append(list, &given)
	}
	return list, nil
}

func (k *deltaKeys) stored() (*sign.Ed25519, error) {
	switch {
	case k.scheme != "ed25519":
		return nil, errSchemeless
	case k.file != "":
		return trust.KeyFile(k.file)
	}
	return trust.KeyStore(k.dir)
}

var errDeltaUnsigned = errors.New("no signatures in static-delta")

// verify fails unless a delta's superblock is signed with one of the keys, and says with
// which. Signatures are the zero Value for one that is not signed.
func (k *deltaKeys) verify(checkers []sign.Checker, superblock []byte, signatures gvariant.Value) (message string, err error) {
	if signatures.Type() == "" {
		return "", errDeltaUnsigned
	}
	list, err := sign.Signatures(signatures, k.scheme)
	if err == nil && list == nil {
		err = fmt.Errorf("no signature for 'ostree.sign.%s' in static-delta superblock", k.scheme)
	}
	if err != nil {
		return "", err
	}
	for _, checker := range checkers {
		if message, err = checker.Check(superblock, list); err == nil {
			break
		}
	}
	return message, err
}

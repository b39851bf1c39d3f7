package main

import (
	"errors"
	"fmt"
	"os"

	"deployfs/cmd/internal/cli"
	"deployfs/objstore/openpgp"
	"deployfs/objstore/sign"
	"deployfs/objstore/trust"
)

// defaultScheme is the kind of signatures when none is named.
const defaultScheme = "ed25519"

// schemeOption is the name of a kind of signature.
func schemeOption(scheme *string, name, short string) cli.Option {
	o := cli.String(scheme, name, short, "NAME", "Signature type to use (defaults to 'ed25519')")
	o.Values = sign.Names()
	return o
}

// secretText is the help on secret keys.
const secretText = "A secret key of ed25519 is base64 of seed and public key, 64 bytes; one of spki base64 of a private key in DER (PKCS #8), for Ed25519, Ed448, RSA or ECDSA. A file of keys of ed25519 has one a line; one of spki has blocks PRIVATE KEY of PEM, as openssl writes them."

// signerOptions say who signs what a verb makes.
type signerOptions struct {
	gpgKeys []string
	gpgHome string
	keys    []string
	files   []string // whose first key signs
	keyFile string   // all of whose keys sign; "" is none
	scheme  string   // of keys and files; "" is ed25519
}

// fileOption names files of keys, that they need not stand in a command line.
func (o *signerOptions) fileOption(help string) cli.Option {
	return stringsOption(&o.files, "sign-from-file", "PATH", help)
}

// signers are those that sign, in ostree's order.
func (o *signerOptions) signers() (list []sign.Signer, err error) {
	for _, id := range o.gpgKeys {
		list = append(list, openpgp.Signer{Home: o.gpgHome, KeyID: id})
	}
	scheme := o.scheme
	if scheme == "" {
		scheme = defaultScheme
	}
	for _, key := range o.keys {
		s, err := sign.NewSigner(scheme, key)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	for _, path := range o.files {
		found, err := signersIn(scheme, path)
		if err != nil {
			return nil, err
		}
		list = append(list, found[0])
	}
	if o.keyFile != "" {
		found, err := signersOf(scheme, o.keyFile)
		if err != nil {
			return nil, err
		}
		list = append(list, found...)
	}
	return list, nil
}

// signersOf are the secret keys of what --keys-file names.
func signersOf(scheme, path string) ([]sign.Signer, error) {
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return nil, cli.Words("File object '" + path + "' is not a regular file")
	}
	return signersIn(scheme, path)
}

// signersIn are the secret keys of a file, at least one.
func signersIn(scheme, path string) ([]sign.Signer, error) {
	data, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return nil, cli.Words("Error opening file " + absolute(path) + ": No such file or directory")
	}
	if err != nil {
		return nil, err
	}
	list, err := sign.ParseSigners(scheme, data)
	if err == nil && len(list) == 0 {
		err = errors.New("there is no key in it")
	}
	if err != nil && err != sign.ErrNoScheme {
		err = fmt.Errorf("Reading %s: %w", path, err)
	}
	return list, err
}

// checkerOptions say by whose keys a signature is good.
type checkerOptions struct{ scheme, keyFile, keyDir string }

func (o *checkerOptions) options(short string) []cli.Option {
	return []cli.Option{
		schemeOption(&o.scheme, "sign-type", short),
		cli.String(&o.keyFile, "keys-file", "", "NAME", "Read keys from file"),
		cli.String(&o.keyDir, "keys-dir", "", "NAME", "Redefine system-wide directories with public and revoked keys for verification"),
	}
}

// known fails when there is no such kind of signature.
func (o *checkerOptions) known() error {
	if _, err := sign.NewChecker(o.scheme, ""); err == sign.ErrNoScheme {
		return err
	}
	return nil
}

// given are the keys named, of which one is enough.
func (o *checkerOptions) given(keys []string) (sign.Checker, error) {
	if o.scheme == "dummy" { // as in ostree, the last one counts
		return sign.NewChecker(o.scheme, keys[len(keys)-1])
	}
	all := &sign.Keys{Scheme: o.scheme}
	for _, text := range keys {
		k, err := sign.ParseKey(o.scheme, text)
		if err != nil {
			return nil, fmt.Errorf("KEY-ID %s: %w", text, err)
		}
		all.Trusted = append(all.Trusted, k)
	}
	return all, nil
}

// stored are the public keys of the file, or of the system.
func (o *checkerOptions) stored() (*sign.Keys, error) {
	if o.keyFile != "" {
		return trust.KeyFile(o.scheme, o.keyFile)
	}
	return trust.KeyStore(o.scheme, o.keyDir)
}

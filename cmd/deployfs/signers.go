package main

import (
	"deployfs/objstore/openpgp"
	"deployfs/objstore/sign"
)

// signerOptions say who signs what a verb makes.
type signerOptions struct {
	gpgKeys []string
	gpgHome string
	keys    []string
	scheme  string // of keys; "" is ed25519
}

// signers are those that sign, in ostree's order.
func (o *signerOptions) signers() (list []sign.Signer, err error) {
	for _, id := range o.gpgKeys {
		list = append(list, openpgp.Signer{Home: o.gpgHome, KeyID: id})
	}
	scheme := o.scheme
	if scheme == "" {
		scheme = "ed25519"
	}
	for _, key := range o.keys {
		s, err := sign.NewSigner(scheme, key)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, nil
}

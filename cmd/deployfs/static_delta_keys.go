package main

import (
	"errors"
	"fmt"

	"deployfs/objstore/gvariant"
	"deployfs/objstore/sign"
)

// deltaKeys say by whom a delta must be signed.
type deltaKeys struct{ checkerOptions }

func newDeltaKeys() *deltaKeys { return &deltaKeys{checkerOptions{scheme: defaultScheme}} }

const deltaKeysText = "A KEY-ID is a public key, as deployfs sign --verify takes it. Keys that are given replace those of the system."

// checkers are those of the keys given, and of the file; without a key, or with a file,
// those that are stored. One that is content is enough.
func (k *deltaKeys) checkers(keys []string) (list []sign.Checker, err error) {
	if err := k.known(); err != nil {
		return nil, err
	}
	if len(keys) > 0 {
		given, err := k.given(keys)
		if err != nil {
			return nil, err
		}
		list = append(list, given)
	}
	if len(keys) == 0 || k.keyFile != "" {
		stored, err := k.stored()
		if err != nil {
			return nil, err
		}
		list = append(list, stored)
	}
	return list, nil
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

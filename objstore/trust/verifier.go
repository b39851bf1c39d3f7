package trust

import (
	"errors"
	"strings"
	"sync"

	"deployfs/objstore"
	"deployfs/objstore/openpgp"
	"deployfs/objstore/sign"
)

// ring is the scheme of GPG signatures, by keys that are read when they are first needed.
type ring struct {
	keys func() (openpgp.Keyring, error)
}

// lazyRing checks with the keys that count for a remote of the repository.
func (s system) lazyRing(repo *objstore.Repo, remote string) ring {
	return ring{sync.OnceValues(func() (openpgp.Keyring, error) { return s.keysFor(repo, remote) })}
}

func (ring) Name() string { return "gpg" }

func (r ring) Verify(data []byte, signatures [][]byte) []sign.Verdict {
	keys, _ := r.keys()
	return openPGP{keys}.Verify(data, signatures)
}

var errUnsigned = errors.New("GPG verification enabled, but no signatures found (use gpg-verify=false in remote config to disable)")

// Check tells in ostree's words why no signature is good.
func (r ring) Check(data []byte, signatures [][]byte) (string, error) {
	if signatures == nil {
		return "", errUnsigned
	}
	keys, err := r.keys()
	if err != nil {
		return "", err
	}
	return "", requireGood(openpgp.Verify(keys, data, signatures))
}

// requireGood fails unless one result is good; the failure tells of all, the last
// first.
func requireGood(results []openpgp.Result) error {
	if openpgp.NoData(results) {
		return openpgp.ErrNoData
	}
	var text strings.Builder
	for i := len(results) - 1; i >= 0; i-- {
		if results[i].Status == openpgp.Good {
			return nil
		}
		text.WriteString(results[i].Describe(""))
	}
	return errors.New(strings.TrimRight(text.String(), "\n"))
}

package trust

import (
	"errors"
	"strings"
	"sync"

	"deployfs/objstore"
	"deployfs/objstore/openpgp"
	"deployfs/objstore/sign"
)

// gpg is the scheme of OpenPGP signatures, by keys that are read when they are first
// needed.
type gpg struct {
	ring func() (openpgp.Keyring, error)
}

// gpgDemand is an option's demand of a signature by a key that counts for a remote of a
// repository.
func (s system) gpgDemand(repo *objstore.Repo, remote, option string) demand {
	g := gpg{sync.OnceValues(func() (openpgp.Keyring, error) { return s.keysFor(repo, remote) })}
	return demand{option, []sign.Checker{g}}
}

// gpgBy checks with these keys.
func gpgBy(ring openpgp.Keyring) gpg {
	return gpg{func() (openpgp.Keyring, error) { return ring, nil }}
}

func (gpg) Name() string { return "gpg" }

// Verify gives verdicts; without keys every signature is unknown.
func (g gpg) Verify(data []byte, signatures [][]byte) (verdicts []sign.Verdict) {
	ring, _ := g.ring()
	for _, r := range openpgp.Verify(ring, data, signatures) {
		verdicts = append(verdicts, gpgVerdict(r))
	}
	return verdicts
}

func gpgVerdict(r openpgp.Result) sign.Verdict {
	v := sign.Verdict{Key: r.Fingerprint}
	switch r.Status {
	case openpgp.Good:
		v.Result = sign.Good
	case openpgp.KeyMissing:
		v.Result, v.Key = sign.Unknown, ""
	case openpgp.KeyRevoked:
		v.Result = sign.Revoked
	case openpgp.KeyExpired:
		v.Result, v.Reason = sign.Expired, "the key has expired, "+r.Fingerprint
	case openpgp.SignatureExpired:
		v.Result, v.Reason = sign.Expired, "it has expired"
	case openpgp.Unusable:
		v.Result, v.Reason = sign.Bad, "key "+r.Fingerprint+" may not make such a signature"
	case openpgp.Bad:
		v.Result, v.Reason = sign.Bad, "not a signature of this data"
	}
	return v
}

var errUnsigned = errors.New("GPG verification enabled, but no signatures found (use gpg-verify=false in remote config to disable)")

// Check fails unless one signature is good; the failure tells of all, the last first.
func (g gpg) Check(data []byte, signatures [][]byte) (success string, err error) {
	if signatures == nil {
		return "", errUnsigned
	}
	ring, err := g.ring()
	if err != nil {
		return "", err
	}
	results := openpgp.Verify(ring, data, signatures)
	if openpgp.NoData(results) {
		return "", openpgp.ErrNoData
	}
	var text strings.Builder
	for i := len(results) - 1; i >= 0; i-- {
		if results[i].Status == openpgp.Good {
			return results[i].Describe("GPG: "), nil
		}
		text.WriteString(results[i].Describe(""))
	}
	return "", errors.New(strings.TrimRight(text.String(), "\n"))
}

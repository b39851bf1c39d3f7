package trust

import (
	"deployfs/objstore/openpgp"
	"deployfs/objstore/sign"
)

// openPGP is the scheme of OpenPGP signatures, by a keyring.
type openPGP struct{ ring openpgp.Keyring }

func (openPGP) Name() string { return "gpg" }

func (o openPGP) Verify(data []byte, signatures [][]byte) (verdicts []sign.Verdict) {
	for _, r := range openpgp.Verify(o.ring, data, signatures) {
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

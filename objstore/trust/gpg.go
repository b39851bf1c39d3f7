package trust

import (
	"errors"
	"fmt"
	"strings"

	"deployfs/objstore"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
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

// ErrUnsigned is that data has no GPG signature, in ostree's words.
var ErrUnsigned = errors.New("GPG verification enabled, but no signatures found (use gpg-verify=false in remote config to disable)")

// VerifyCommit checks the GPG signatures of a commit that comes from remote, as its
// gpg-verify demands: data are the commit object's bytes, which need not be in the
// repository yet, and detached its metadata, an a{sv} or the zero value. It fails
// unless one signature is good, in ostree's words.
func VerifyCommit(repo *objstore.Repo, remote string, commit object.Checksum, data []byte, detached gvariant.Value) error {
	if err := verifyGPG(repo, remote, data, detached); err != nil {
		return fmt.Errorf("Commit %s: %w", commit, err)
	}
	return nil
}

// VerifySummary checks the GPG signatures of a summary that comes from remote, as its
// gpg-verify-summary demands. Nil is a summary or a summary.sig that is absent.
func VerifySummary(repo *objstore.Repo, remote string, summary, signatures []byte) error {
	const remedy = " found (use gpg-verify-summary=false in remote config to disable)"
	switch {
	case summary == nil:
		return errors.New("GPG verification enabled, but no summary" + remedy)
	case signatures == nil:
		return errors.New("GPG verification enabled, but no summary.sig" + remedy)
	}
	meta, err := gvariant.Parse("a{sv}", signatures)
	if err != nil {
		return fmt.Errorf("summary.sig: %w", err)
	}
	return verifyGPG(repo, remote, summary, meta)
}

func verifyGPG(repo *objstore.Repo, remote string, data []byte, meta gvariant.Value) error {
	signatures, err := sign.Signatures(meta, "gpg")
	if err != nil {
		return err
	}
	if signatures == nil {
		return ErrUnsigned
	}
	ring, err := KeysFor(repo, remote)
	if err != nil {
		return fmt.Errorf("GPG: %w", err)
	}
	return requireGood(openpgp.Verify(ring, data, signatures))
}

// requireGood fails unless one result is good; the failure tells of all, the last
// first.
func requireGood(results []openpgp.Result) error {
	var text strings.Builder
	for i := len(results) - 1; i >= 0; i-- {
		if results[i].Status == openpgp.Good {
			return nil
		}
		text.WriteString(results[i].Describe(""))
	}
	if len(results) == 0 {
		return errors.New("No GPG signatures found")
	}
	return errors.New(strings.TrimRight(text.String(), "\n"))
}

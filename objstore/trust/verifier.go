package trust

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"deployfs/objstore"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
	"deployfs/objstore/openpgp"
	"deployfs/objstore/sign"
)

// Verifier checks the GPG signatures of what a pull takes from a remote, in ostree's
// words. Its methods may be called at the same time. The keys are read once, when
// they are first needed.
type Verifier struct {
	ring func() (openpgp.Keyring, error)
}

// NewVerifier checks with the keys that count for a remote of the repository that
// is pulled into.
func NewVerifier(repo *objstore.Repo, remote string) *Verifier {
	return &Verifier{sync.OnceValues(func() (openpgp.Keyring, error) { return KeysFor(repo, remote) })}
}

var errUnsigned = errors.New("GPG verification enabled, but no signatures found (use gpg-verify=false in remote config to disable)")

// Commit fails unless one of a commit's signatures is good, as gpg-verify demands:
// data are the commit object's bytes, which need not be in the repository yet, and
// detached its metadata, an a{sv} or the zero value. The failure does not name the
// commit.
func (v *Verifier) Commit(_ object.Checksum, data []byte, detached gvariant.Value) error {
	return v.verify(data, detached)
}

// Summary fails unless one of a summary's signatures is good, as gpg-verify-summary
// demands. Nil is a summary or a summary.sig that is absent.
func (v *Verifier) Summary(summary, signatures []byte) error {
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
	return v.verify(summary, meta)
}

func (v *Verifier) verify(data []byte, meta gvariant.Value) error {
	signatures, err := sign.Signatures(meta, "gpg")
	if err != nil {
		return err
	}
	if signatures == nil {
		return errUnsigned
	}
	ring, err := v.ring()
	if err != nil {
		return err
	}
	return requireGood(openpgp.Verify(ring, data, signatures))
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

package facts

import (
	"time"

	"deployfs/objstore/gvariant"
	"deployfs/objstore/openpgp"
	"deployfs/objstore/sign"
)

// GPGSignature is what an OpenPGP signature says of itself, and where it was
// checked, what it is worth.
type GPGSignature struct {
	KeyID     string    `json:"key_id"`
	Algorithm string    `json:"algorithm"`
	Created   time.Time `json:"created"`

	Status      string     `json:"status,omitempty"`      // "good" or why not
	Fingerprint string     `json:"fingerprint,omitempty"` // of the primary key, when it is at hand
	UserID      string     `json:"user_id,omitempty"`
	Expires     *time.Time `json:"expires,omitempty"`
}

// Signature is one of another scheme than GPG, which was checked.
type Signature struct {
	Scheme string   `json:"scheme"`
	Status string   `json:"status"`        // "good" or why not
	Key    string   `json:"key,omitempty"` // that made it, in base64, when it is at hand
	For    []string `json:"for,omitempty"` // the remotes for which the key counts; "" is the system
}

// GPGSignatures reads the OpenPGP signatures in detached metadata; it leaves out
// what is none. Nothing is verified.
func GPGSignatures(detached gvariant.Value) (list []GPGSignature) {
	packets, err := sign.Signatures(detached, "gpg")
	if err != nil {
		return nil
	}
	for _, packet := range packets {
		if c, err := openpgp.ReadClaim(packet); err == nil {
			list = append(list, GPGSignature{KeyID: c.KeyID, Algorithm: c.Algorithm, Created: c.Created})
		}
	}
	return list
}

// Checked tells of signatures that were checked.
func Checked(results []openpgp.Result) []GPGSignature {
	list := []GPGSignature{}
	for _, r := range results {
		s := GPGSignature{KeyID: openpgp.KeyID(r.Fingerprint), Algorithm: r.Algorithm, Created: r.Created, Status: r.Status.String()}
		if r.Key != nil {
			s.Fingerprint = r.Key.Primary.Fingerprint
			if len(r.Key.UserIDs) > 0 {
				s.UserID = r.Key.UserIDs[0].Text
			}
		}
		if !r.Expires.IsZero() {
			end := r.Expires.UTC()
			s.Expires = &end
		}
		list = append(list, s)
	}
	return list
}

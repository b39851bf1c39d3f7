package openpgp

import (
	"bytes"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// Status is what a signature is worth. Only Good counts.
type Status uint8

// What a signature may be worth.
const (
	Bad        Status = iota // it is not of this data, or can't be checked
	KeyMissing               // no key at hand made it
	Unusable                 // its key is at hand, but may not make such a signature
	SignatureExpired
	KeyExpired
	KeyRevoked
	Good
)

var statusNames = [...]string{"bad", "key missing", "unusable", "signature expired", "key expired", "key revoked", "good"}

// String is the status in a word or two.
func (s Status) String() string { return statusNames[s] }

// Result is what is found out of one signature.
type Result struct {
	Status      Status
	Fingerprint string // of the key, which may be a subkey, or its key id where no more is known
	Algorithm   string // of the key; "" when that is not known
	Created     time.Time
	Expires     time.Time // zero: never
	Key         *Key      // that made it, or claims to; nil when it is not at hand
	Part        *Part     // of the key
}

// Verify gives a result for each signature packet of data, in their order. An
// element of signatures may hold several; one that holds none gives a result of
// its own, which is Bad. After 256 results no more are looked at.
func Verify(ring Keyring, data []byte, signatures [][]byte) []Result {
	return verify(ring, data, signatures, time.Now())
}

func verify(ring Keyring, data []byte, signatures [][]byte, now time.Time) (results []Result) {
	for _, element := range signatures {
		reader := packet.NewOpaqueReader(bytes.NewReader(element))
		if bytes.HasPrefix(element, []byte(armoured)) {
			reader = packet.NewOpaqueReader(bytes.NewReader(unarmoured(element, "PGP SIGNATURE")))
		}
		found := false
		for {
			p, err := reader.Next()
			if err != nil {
				break
			}
			if p.Tag == tagSignature && len(results) < maxResults {
				results = append(results, ring.verify(data, p, now))
				found = true
			}
		}
		if !found && len(results) < maxResults {
			results = append(results, Result{})
		}
	}
	return results
}

// maxResults bounds the signatures of one thing that are looked at: each costs a hash
// of it.
const maxResults = 256

// ErrNoData is that there is nothing to verify, in ostree's words.
var ErrNoData = errors.New("GPG: Unable to complete signature verification: GPGME: No data")

// NoData reports whether none of the results is of a signature.
func NoData(results []Result) bool {
	return !slices.ContainsFunc(results, func(r Result) bool { return r.Fingerprint != "" })
}

// verify checks one signature.
func (ring Keyring) verify(data []byte, p *packet.OpaquePacket, now time.Time) Result {
	claim, _ := readClaim(p.Contents)
	r := Result{Algorithm: claim.Algorithm, Created: claim.Created, Fingerprint: claim.Fingerprint}
	if r.Fingerprint == "" {
		r.Fingerprint = claim.KeyID
	}
	if r.Key, r.Part = ring.maker(claim); r.Key == nil {
		r.Status = KeyMissing
		return r
	}
	parsed, err := p.Parse()
	sig, ok := parsed.(*packet.Signature)
	if err != nil || !ok || sig.SigType != packet.SigTypeBinary {
		r.Status = Unusable
		return r
	}
	r.Status = r.Part.judge(sig, data, now)
	if r.Status == Bad { // as little is known of it as gpg tells
		return Result{Fingerprint: claim.KeyID, Key: r.Key, Part: r.Part}
	}
	if r.Status != Unusable {
		r.Fingerprint, r.Expires = r.Part.Fingerprint, signatureEnd(sig)
	}
	return r
}

// maker is the key that a signature claims to be by.
func (ring Keyring) maker(c Claim) (*Key, *Part) {
	if c.KeyID == "" {
		return nil, nil
	}
	claims := func(p *Part) bool {
		return strings.HasSuffix(p.Fingerprint, c.KeyID) && (c.Fingerprint == "" || c.Fingerprint == p.Fingerprint)
	}
	for _, k := range ring {
		if claims(&k.Primary) {
			return k, &k.Primary
		}
		for i := range k.Subkeys {
			if claims(&k.Subkeys[i]) {
				return k, &k.Subkeys[i]
			}
		}
	}
	return nil, nil
}

// judge checks a signature that claims to be by p.
func (p *Part) judge(sig *packet.Signature, data []byte, now time.Time) Status {
	if p.Invalid || !p.signs || !p.certified || p.Created.After(sig.CreationTime) || p.Created.After(now) {
		return Unusable
	}
	hash, err := sig.PrepareVerify()
	if err != nil {
		return Unusable
	}
	hash.Write(data)
	demands := func(n *packet.Notation) bool { return n.IsCritical } // what is not understood here
	if slices.ContainsFunc(sig.Notations, demands) || p.key.VerifySignature(hash, sig) != nil {
		return Bad
	}
	end := signatureEnd(sig)
	switch {
	case !end.IsZero() && !now.Before(end):
		return SignatureExpired
	case p.Expired:
		return KeyExpired
	case p.Revoked:
		return KeyRevoked
	}
	return Good
}

// KeyID is the last 16 digits of a fingerprint.
func KeyID(fingerprint string) string {
	const digits = 16
	return fingerprint[max(0, len(fingerprint)-digits):]
}

// Describe tells a result in ostree's words, in lines that begin with prefix.
// Times are local.
func (r Result) Describe(prefix string) string {
	var text strings.Builder
	line := func(parts ...string) { text.WriteString(prefix + strings.Join(parts, "") + "\n") }
	algorithm := r.Algorithm
	if algorithm == "" {
		algorithm = "[unknown name]"
	}
	if r.Fingerprint == "" {
		return prefix + "Can't check signature: not an OpenPGP signature that says who made it\n"
	}
	created := r.Created
	if created.IsZero() {
		created = time.Unix(0, 0)
	}
	line("Signature made ", clock(created), " using ", algorithm, " key ID ", KeyID(r.Fingerprint))
	line(r.verdict())
	if r.Key == nil {
		return text.String()
	}
	primary := &r.Key.Primary
	if r.Fingerprint != primary.Fingerprint {
		line("Primary key ID ", KeyID(primary.Fingerprint))
	}
	end := func(what string, t time.Time, over bool) {
		if !t.IsZero() {
			word := " expires "
			if over {
				word = " expired "
			}
			line(what, word, clock(t))
		}
	}
	expired := r.Status == KeyExpired
	end("Signature", r.Expires, r.Status == SignatureExpired)
	if r.Fingerprint == r.Part.Fingerprint { // to ostree a key of which it has but the id has no end
		end("Key", r.Part.Expires, expired)
	}
	if r.Fingerprint != primary.Fingerprint {
		end("Primary key", primary.Expires, expired)
	}
	return text.String()
}

// verdict is the result in a line.
func (r Result) verdict() string {
	switch r.Status {
	case KeyMissing:
		return "Can't check signature: public key not found"
	case KeyRevoked:
		return "Key revoked"
	}
	name, email := "[unknown name]", "[unknown email]"
	if r.Key != nil && len(r.Key.UserIDs) > 0 {
		name, email = r.Key.UserIDs[0].Name, r.Key.UserIDs[0].Email
	}
	word := map[Status]string{Good: "Good", SignatureExpired: "Expired"}[r.Status]
	if word == "" {
		word = "BAD"
	}
	return word + " signature from \"" + printable(name) + " <" + printable(email) + ">\""
}

// clock is a local time as GLib shows it by %c in the C locale: it pads a day with a
// figure space.
func clock(t time.Time) string {
	t = t.Local()
	day := strconv.Itoa(t.Day())
	if len(day) == 1 {
		day = "\u2007" + day
	}
	return t.Format("Mon Jan ") + day + t.Format(" 15:04:05 2006")
}

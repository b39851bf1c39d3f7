package openpgp

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// UserID says whose a key is.
type UserID struct {
	Text    string // all of it, as in "Name (comment) <email>"
	Name    string
	Email   string
	Revoked bool // itself, or the key
	Invalid bool // the key is

	signature *packet.Signature // the primary key's newest, which makes it count; nil when nothing does
	created   time.Time         // zero when it does not count
	primary   bool              // it is marked as the primary one
}

// userIDs makes out a key's user ids, and puts the primary one first.
func (m maker) userIDs(k *Key) []UserID {
	for _, c := range k.block[1:] {
		if c.head.Tag == tagUserID {
			k.UserIDs = append(k.UserIDs, m.userID(c))
		}
	}
	if first := primaryID(k.UserIDs); first > 0 {
		id := k.UserIDs[first]
		k.UserIDs = slices.Insert(slices.Delete(k.UserIDs, first, first+1), 0, id)
	}
	return k.UserIDs
}

// userID makes out one: its newest signature confirms it, or revokes it.
func (m maker) userID(c component) UserID {
	text := string(c.head.Contents)
	id := UserID{Text: text}
	id.Name, id.Email = splitUserID(text)
	verify := func(sig *packet.Signature) error { return m.pk.VerifyUserIdSignature(text, m.pk, sig) }
	sig := newest(m.own(c.signatures, verify, packet.SigTypeGenericCert, packet.SigTypePersonaCert,
		packet.SigTypeCasualCert, packet.SigTypePositiveCert, packet.SigTypeCertificationRevocation))
	if sig == nil {
		return id
	}
	id.signature = sig
	id.Revoked = sig.SigType == packet.SigTypeCertificationRevocation
	if !id.Revoked && len(m.unexpired([]*packet.Signature{sig})) > 0 {
		id.created = sig.CreationTime
		id.primary = sig.IsPrimaryId != nil && *sig.IsPrimaryId
	}
	return id
}

// primaryID is the place of the primary one: the newest of those that are marked
// so, else of those that count, else any; where dates are equal, the text decides.
func primaryID(ids []UserID) int {
	best := 0
	for i := range ids {
		if i > 0 && compareIDs(ids[i], ids[best]) > 0 {
			best = i
		}
	}
	return best
}

func compareIDs(a, b UserID) int {
	if a.primary != b.primary {
		if a.primary {
			return 1
		}
		return -1
	}
	return cmp.Or(a.created.Compare(b.created), strings.Compare(a.Text, b.Text))
}

// selfSigned reports whether the primary key has signed any of them.
func selfSigned(ids []UserID) bool {
	return slices.ContainsFunc(ids, func(id UserID) bool { return id.signature != nil })
}

// latest is the signature of the newest user id that counts and of whose signature
// tells is true; nil when there is none.
func latest(ids []UserID, tells func(*packet.Signature) bool) *packet.Signature {
	var best *UserID
	for i := range ids {
		id := &ids[i]
		if !id.created.IsZero() && tells(id.signature) && (best == nil || id.created.After(best.created)) {
			best = id
		}
	}
	if best == nil {
		return nil
	}
	return best.signature
}

// splitUserID finds the name and the address in a user id, as gpgme does: what
// stands in parentheses is a comment, in angle brackets an address, else the name.
func splitUserID(text string) (name, email string) {
	var comment string
	var piece *string
	start, depth := 0, 0
	take := func(to *string, end int) {
		if *to == "" {
			*to = strings.TrimRight(text[start:end], " \t")
		}
	}
	closing := byte(0)
	for i := range len(text) {
		switch c := text[i]; {
		case closing != 0:
			if c == opening[closing] {
				depth++
			} else if c == closing {
				if depth--; depth == 0 {
					take(piece, i)
					piece, closing = nil, 0
				}
			}
		case c == '<' || c == '(':
			if piece == &name {
				take(&name, i)
			}
			piece, closing = &email, '>'
			if c == '(' {
				piece, closing = &comment, ')'
			}
			start, depth = i+1, 1
		case piece == nil && c != ' ' && c != '\t':
			piece, start = &name, i
		}
	}
	if piece == &name {
		take(&name, len(text))
	}
	return name, email
}

var opening = map[byte]byte{'>': '<', ')': '('}

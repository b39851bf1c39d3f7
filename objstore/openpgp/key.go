package openpgp

import (
	"encoding/hex"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// Key is a public key with its subkeys and user ids, as its own signatures make
// them out.
type Key struct {
	Primary Part
	UserIDs []UserID // the primary one first
	Subkeys []Part

	block block
}

// Part is a primary key or a subkey.
type Part struct {
	Fingerprint string // upper-case hexadecimal
	Created     time.Time
	Expires     time.Time // zero: never
	Revoked     bool      // itself, or the primary key
	Expired     bool      // itself, or the primary key
	Invalid     bool      // no signature of the primary key says that it belongs to it

	key       *packet.PublicKey
	bound     bool // a signature of the primary key names it
	signs     bool // it may sign data
	certified bool // it says itself that it belongs to the primary key; of a primary key always true
}

// newKey makes out a block; nil when its primary key can't be understood.
func newKey(b block, now time.Time) *Key {
	pk := publicKey(b[0].head)
	if pk == nil {
		return nil
	}
	m := maker{now: now, pk: pk}
	k := &Key{block: b, Primary: newPart(pk)}
	m.primary(k)
	for _, c := range b[1:] {
		if c.head.Tag != tagPublicSubkey {
			continue
		}
		if sub := publicKey(c.head); sub != nil {
			k.Subkeys = append(k.Subkeys, m.subkey(sub, c.signatures))
		}
	}
	k.inherit()
	return k
}

// inherit lets what befalls the primary key befall the rest.
func (k *Key) inherit() {
	for i := range k.Subkeys {
		sub := &k.Subkeys[i]
		sub.Revoked = sub.Revoked || k.Primary.Revoked
		sub.Expired = sub.Expired || k.Primary.Expired
		sub.Invalid = sub.Invalid || k.Primary.Invalid
	}
	for i := range k.UserIDs {
		id := &k.UserIDs[i]
		id.Revoked = id.Revoked || k.Primary.Revoked
		id.Invalid = k.Primary.Invalid
	}
}

func newPart(pk *packet.PublicKey) Part {
	return Part{key: pk, Fingerprint: strings.ToUpper(hex.EncodeToString(pk.Fingerprint)), Created: pk.CreationTime}
}

// publicKey understands a key packet; nil when it can't.
func publicKey(p *packet.OpaquePacket) *packet.PublicKey {
	parsed, err := p.Parse()
	if pk, ok := parsed.(*packet.PublicKey); ok && err == nil {
		return pk
	}
	return nil
}

// maker makes out one key.
type maker struct {
	now time.Time
	pk  *packet.PublicKey
}

// own are the signatures that say that pk made them, are right for what verify
// knows, and are of one of these types.
func (m maker) own(list []*packet.OpaquePacket, verify func(*packet.Signature) error, types ...packet.SignatureType) (own []*packet.Signature) {
	for _, p := range list {
		parsed, err := p.Parse()
		sig, ok := parsed.(*packet.Signature)
		if err != nil || !ok || !sig.CheckKeyIdOrFingerprint(m.pk) {
			continue
		}
		for _, t := range types {
			if sig.SigType == t && verify(sig) == nil {
				own = append(own, sig)
			}
		}
	}
	return own
}

// newest is the last of those made latest; nil when there is none.
func newest(list []*packet.Signature) (last *packet.Signature) {
	for _, sig := range list {
		if last == nil || !sig.CreationTime.Before(last.CreationTime) {
			last = sig
		}
	}
	return last
}

// unexpired leaves out the signatures that no longer hold.
func (m maker) unexpired(list []*packet.Signature) (valid []*packet.Signature) {
	for _, sig := range list {
		if end := signatureEnd(sig); end.IsZero() || m.now.Before(end) {
			valid = append(valid, sig)
		}
	}
	return valid
}

// signatureEnd is when a signature ceases to hold; zero is never.
func signatureEnd(sig *packet.Signature) time.Time {
	if sig.SigLifetimeSecs == nil || *sig.SigLifetimeSecs == 0 {
		return time.Time{}
	}
	return sig.CreationTime.Add(time.Duration(*sig.SigLifetimeSecs) * time.Second)
}

// keyEnd is when, to sig, a key ceases to hold; zero is never.
func keyEnd(pk *packet.PublicKey, sig *packet.Signature) time.Time {
	if sig.KeyLifetimeSecs == nil || *sig.KeyLifetimeSecs == 0 {
		return time.Time{}
	}
	return pk.CreationTime.Add(time.Duration(*sig.KeyLifetimeSecs) * time.Second)
}

// expire sets when a part ceases to hold. It holds to the end of that second.
func (m maker) expire(p *Part, end time.Time) {
	p.Expires = end
	p.Expired = !end.IsZero() && m.now.Unix() > end.Unix()
}

// primary makes out the primary key and its user ids. A direct signature, the
// newest, goes before those of user ids; without one the newest user id that tells
// usage or end decides.
func (m maker) primary(k *Key) {
	direct := k.block[0].signatures
	revocations := m.own(direct, m.pk.VerifyRevocationSignature, packet.SigTypeKeyRevocation)
	k.Primary.Revoked = len(revocations) > 0
	k.Primary.certified = true
	signature := newest(m.unexpired(m.own(direct, m.pk.VerifyDirectKeySignature, packet.SigTypeDirectSignature)))
	ids := m.userIDs(k)
	k.Primary.Invalid = signature == nil && !selfSigned(ids)
	usage, end := (*packet.Signature)(nil), time.Time{}
	if signature != nil {
		end = keyEnd(m.pk, signature)
		if hasUsage(signature) {
			usage = signature
		}
	}
	if usage == nil {
		usage = latest(ids, hasUsage)
	}
	if end.IsZero() {
		if sig := latest(ids, func(sig *packet.Signature) bool { return !keyEnd(m.pk, sig).IsZero() }); sig != nil {
			end = keyEnd(m.pk, sig)
		}
	}
	k.Primary.signs = usage == nil || usage.FlagSign
	m.expire(&k.Primary, end)
}

// hasUsage reports whether a signature tells what its key may do.
func hasUsage(sig *packet.Signature) bool { return sig.FlagsValid }

// subkey makes out a subkey.
func (m maker) subkey(sub *packet.PublicKey, signatures []*packet.OpaquePacket) Part {
	p := newPart(sub)
	verify := func(sig *packet.Signature) error { return m.pk.VerifySubkeyRevocationSignature(sig, sub) } // of any type
	p.Revoked = len(m.own(signatures, verify, packet.SigTypeSubkeyRevocation)) > 0
	binding := newest(m.unexpired(m.own(signatures, verify, packet.SigTypeSubkeyBinding)))
	p.bound = p.Revoked || binding != nil
	if binding == nil {
		p.Invalid = true
		return p
	}
	p.signs = !hasUsage(binding) || binding.FlagSign
	signing := *binding
	signing.FlagSign = true
	p.certified = m.pk.VerifyKeySignature(sub, &signing) == nil
	m.expire(&p, keyEnd(sub, binding))
	return p
}

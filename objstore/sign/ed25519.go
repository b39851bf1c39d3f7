package sign

import (
	"crypto/ed25519"
	"fmt"
	"slices"
)

// Ed25519 is the scheme of Ed25519 signatures of 64 bytes (RFC 8032, neither
// hashed before nor with a context). A signature does not tell its key, so that
// one by another key and one of other data look alike: both are Unknown.
type Ed25519 struct {
	Trusted []Key
	Revoked []Key // they count for nothing, also when they are trusted
}

// Name is "ed25519".
func (*Ed25519) Name() string { return "ed25519" }

// Verify tries each signature with each key.
func (e *Ed25519) Verify(data []byte, signatures [][]byte) []Verdict {
	verdicts := make([]Verdict, len(signatures))
	for i, signature := range signatures {
		verdicts[i] = e.verify(data, signature)
	}
	return verdicts
}

func (e *Ed25519) verify(data, signature []byte) Verdict {
	if len(signature) != ed25519.SignatureSize {
		reason := fmt.Sprintf("%d bytes instead of %d", len(signature), ed25519.SignatureSize)
		return Verdict{Result: Bad, Reason: reason}
	}
	made := func(k Key) bool { return ed25519.Verify(k[:], data, signature) }
	for _, k := range e.Trusted {
		if !slices.Contains(e.Revoked, k) && made(k) {
			return Verdict{Result: Good, Key: k.String()}
		}
	}
	if i := slices.IndexFunc(e.Revoked, made); i >= 0 {
		return Verdict{Result: Revoked, Key: e.Revoked[i].String()}
	}
	return Verdict{Result: Unknown}
}

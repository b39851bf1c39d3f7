package sign

import (
	"fmt"
	"slices"
)

// Keys is a scheme with its keys: ed25519, whose signatures have 64 bytes (RFC 8032,
// neither hashed before nor with a context), or spki, whose keys say of what kind they
// are. A signature does not tell its key, so that one by another key and one of other
// data look alike: both are Unknown.
type Keys struct {
	Scheme  string
	Trusted []Key
	Revoked []Key // they count for nothing, also when they are trusted
}

// Name is the scheme's.
func (e *Keys) Name() string { return e.Scheme }

// Verify tries each signature with each key.
func (e *Keys) Verify(data []byte, signatures [][]byte) []Verdict {
	verdicts := make([]Verdict, len(signatures))
	for i, signature := range signatures {
		verdicts[i] = e.verify(data, signature)
	}
	return verdicts
}

func (e *Keys) verify(data, signature []byte) Verdict {
	if size := engines[e.Scheme].size; size != 0 && len(signature) != size {
		return Verdict{Result: Bad, Reason: fmt.Sprintf("%d bytes instead of %d", len(signature), size)}
	}
	made := func(k Key) bool { return k.made(data, signature) }
	for _, k := range e.Trusted {
		if !e.revoked(k) && made(k) {
			return Verdict{Result: Good, Key: k.String()}
		}
	}
	if i := slices.IndexFunc(e.Revoked, made); i >= 0 {
		return Verdict{Result: Revoked, Key: e.Revoked[i].String()}
	}
	return Verdict{Result: Unknown}
}

func (e *Keys) revoked(k Key) bool { return slices.ContainsFunc(e.Revoked, k.Equal) }

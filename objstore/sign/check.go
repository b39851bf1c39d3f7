package sign

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Checker is a scheme that tells its verdict in ostree's words.
type Checker interface {
	Scheme
	// Check says which signature of data is good, or fails. Nil is no signatures.
	Check(data []byte, signatures [][]byte) (success string, err error)
}

// maxNamed is how many keys an error names.
const maxNamed = 3

// Check tries the keys from the last to the first.
func (e *Ed25519) Check(data []byte, signatures [][]byte) (success string, err error) {
	if signatures == nil {
		return "", errors.New("ed25519: commit have no signatures of my type")
	}
	var tried []string
	for _, signature := range signatures {
		if len(signature) != ed25519.SignatureSize {
			return "", fmt.Errorf("Invalid signature: Ill-formed input: expected %d bytes, got %d bytes", ed25519.SignatureSize, len(signature))
		}
		for _, k := range slices.Backward(e.Trusted) {
			if slices.Contains(e.Revoked, k) {
				continue
			}
			name := "key '" + hex.EncodeToString(k[:]) + "'"
			if ed25519.Verify(k[:], data, signature) {
				return "ed25519: Signature verified successfully with " + name, nil
			}
			tried = append(tried, name)
		}
	}
	switch {
	case len(tried) == 0:
		return "", errors.New("ed25519: no signatures found")
	case len(tried) > maxNamed:
		return "", fmt.Errorf("ed25519: Signature couldn't be verified; tried %d keys", len(tried))
	}
	return "", errors.New("ed25519: Signature couldn't be verified with: " + strings.Join(tried, "; "))
}

// Dummy is the scheme of ostree's tests: a key is its own signature, of anything.
// Unless the environment allows it, no signature is good.
type Dummy struct{ Key string }

// Name is "dummy".
func (Dummy) Name() string { return "dummy" }

// Verify compares.
func (d Dummy) Verify(_ []byte, signatures [][]byte) (verdicts []Verdict) {
	allowed := CheckDummy() == nil
	for _, s := range signatures {
		v := Verdict{Result: Unknown}
		if allowed && bytes.Equal(s, []byte(d.Key)) {
			v = Verdict{Result: Good, Key: d.Key}
		}
		verdicts = append(verdicts, v)
	}
	return verdicts
}

// Check compares.
func (d Dummy) Check(data []byte, signatures [][]byte) (success string, err error) {
	if err := CheckDummy(); err != nil {
		return "", err
	}
	switch {
	case signatures == nil:
		return "", errors.New("signature: dummy: commit have no signatures of my type")
	case len(signatures) == 0:
		return "", errors.New("signature: dummy: no signatures")
	case Best(d.Verify(data, signatures)).Result != Good:
		return "", fmt.Errorf("signature: dummy: incorrect signatures found: %d", len(signatures))
	}
	return "dummy: Signature verified", nil
}

// NewChecker is a scheme with one public key, as a command line gives it.
func NewChecker(scheme, key string) (Checker, error) {
	switch scheme {
	case "ed25519":
		k, err := ParseKey(strings.TrimSpace(key))
		return &Ed25519{Trusted: []Key{k}}, err
	case "dummy":
		return Dummy{key}, nil
	}
	return nil, ErrNoScheme
}

package sign

import (
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

// NewChecker is a scheme with one public key, as a command line gives it.
func NewChecker(scheme, key string) (Checker, error) {
	if scheme == "dummy" {
		return Dummy{key}, nil
	}
	k, err := ParseKey(scheme, key)
	if err != nil {
		return nil, err
	}
	return &Keys{Scheme: scheme, Trusted: []Key{k}}, nil
}

// maxNamed is how many keys an error names.
const maxNamed = 3

// Check tries the keys from the last to the first.
func (e *Keys) Check(data []byte, signatures [][]byte) (success string, err error) {
	if signatures == nil {
		return "", errors.New(e.Scheme + ": commit have no signatures of my type")
	}
	var tried []string
	for _, signature := range signatures {
		if size := engines[e.Scheme].size; size != 0 && len(signature) != size {
			return "", fmt.Errorf("Invalid signature: Ill-formed input: expected %d bytes, got %d bytes", size, len(signature))
		}
		for _, k := range slices.Backward(e.Trusted) {
			if e.revoked(k) {
				continue
			}
			name := "key '" + hex.EncodeToString([]byte(k.raw)) + "'"
			if k.made(data, signature) {
				return e.Scheme + ": Signature verified successfully with " + name, nil
			}
			tried = append(tried, name)
		}
	}
	switch {
	case len(tried) == 0:
		return "", errors.New(e.Scheme + ": no signatures found")
	case len(tried) > maxNamed:
		return "", fmt.Errorf("%s: Signature couldn't be verified; tried %d keys", e.Scheme, len(tried))
	}
	return "", errors.New(e.Scheme + ": Signature couldn't be verified with: " + strings.Join(tried, "; "))
}

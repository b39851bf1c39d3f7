package sign

import (
	"context"
	"fmt"
	"strings"
)

// Signer makes signatures of one scheme with one key.
type Signer interface {
	// Scheme is what the scheme is called, such as "ed25519" or "gpg".
	Scheme() string
	// Sign makes a signature of data, in the form in which metadata holds it.
	Sign(ctx context.Context, data []byte) ([]byte, error)
}

// NewSigner is who signs by a scheme with a secret key as a command line has it: for
// ed25519 base64 of 64 bytes, seed and public key; for spki base64 of a private key in
// DER; for dummy, which is for tests alone, any text.
func NewSigner(scheme, key string) (Signer, error) {
	if scheme == "dummy" {
		return dummy(key), CheckDummy()
	}
	e, ok := engines[scheme]
	if !ok {
		return nil, ErrNoScheme
	}
	raw, err := decode(key)
	if err != nil {
		return nil, fmt.Errorf("Invalid %s secret key: not base64", scheme)
	}
	return e.signer(scheme, raw)
}

func (e engine) signer(scheme string, raw []byte) (Signer, error) {
	s, err := e.secret(raw)
	if err != nil {
		return nil, fmt.Errorf("Invalid %s secret key: %w", scheme, err)
	}
	return s, nil
}

// ParseSigners reads a file of secret keys: for ed25519 one in base64 a line, where
// lines that are empty or begin with # are left out; for spki blocks PRIVATE KEY of
// PEM; for dummy lines of any text.
func ParseSigners(scheme string, data []byte) (list []Signer, err error) {
	if scheme == "dummy" {
		for line := range strings.Lines(string(data)) {
			if line = strings.TrimRight(line, "\r\n"); line != "" {
				list = append(list, dummy(line))
			}
		}
		return list, CheckDummy()
	}
	e, ok := engines[scheme]
	if !ok {
		return nil, ErrNoScheme
	}
	found, err := e.split(data, "PRIVATE KEY")
	if err != nil {
		return nil, err
	}
	for _, one := range found {
		if one.err != nil {
			return nil, fmt.Errorf("%s: %w", one.place, one.err)
		}
		s, err := e.signer(scheme, one.raw)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", one.place, err)
		}
		list = append(list, s)
	}
	return list, nil
}

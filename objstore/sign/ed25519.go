package sign

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
)

func ed25519Public(raw []byte) (Key, error) {
	if len(raw) != ed25519.PublicKeySize {
		return Key{}, fmt.Errorf("a key of %d bytes, want %d", len(raw), ed25519.PublicKeySize)
	}
	return Key{raw: string(raw), id: string(raw), made: func(data, signature []byte) bool {
		return len(signature) == ed25519.SignatureSize && ed25519.Verify(raw, data, signature)
	}}, nil
}

// ed25519Secret reads seed and public key. Where the second is not that of the first,
// its signatures would be good to nobody.
func ed25519Secret(raw []byte) (Signer, error) {
	if len(raw) != ed25519.PrivateKeySize {
		return nil, fmt.Errorf("Ill-formed input: expected %d bytes, got %d bytes", ed25519.PrivateKeySize, len(raw))
	}
	key := ed25519.NewKeyFromSeed(raw[:ed25519.SeedSize])
	if !key.Equal(ed25519.PrivateKey(raw)) {
		return nil, errors.New("its second half is not the public key of the first")
	}
	return secret{"ed25519", func(data []byte) ([]byte, error) { return ed25519.Sign(key, data), nil }}, nil
}

// secret is a key that signs.
type secret struct {
	scheme string
	sign   func(data []byte) ([]byte, error)
}

func (s secret) Scheme() string { return s.scheme }

func (s secret) Sign(_ context.Context, data []byte) ([]byte, error) { return s.sign(data) }

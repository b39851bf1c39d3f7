package sign

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strings"
)

// Signer makes signatures of one scheme with one key.
type Signer interface {
	// Scheme is what the scheme is called, such as "ed25519" or "gpg".
	Scheme() string
	// Sign makes a signature of data, in the form in which metadata holds it.
	Sign(ctx context.Context, data []byte) ([]byte, error)
}

// NewSigner is who signs by a scheme with a secret key in the form in which a command
// line or a file has it: for ed25519 base64 of 64 bytes, seed and public key; for
// dummy, which is for tests alone, any text.
func NewSigner(scheme, key string) (Signer, error) {
	switch scheme {
	case "ed25519":
		return parseSecret(key)
	case "dummy":
		return dummy(key), CheckDummy()
	}
	return nil, ErrNoScheme
}

// ErrNoScheme is that a scheme is not known, in ostree's words.
var ErrNoScheme = errors.New("Requested signature type is not implemented")

// secret is an Ed25519 key that signs.
type secret ed25519.PrivateKey

// parseSecret reads a secret key in base64. Where its public half is not that of
// the seed, its signatures would be good to nobody.
func parseSecret(text string) (Signer, error) {
	data, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil {
		return nil, errors.New("Invalid ed25519 secret key: not base64")
	}
	if len(data) != ed25519.PrivateKeySize {
		return nil, fmt.Errorf("Invalid ed25519 secret key: Ill-formed input: expected %d bytes, got %d bytes", ed25519.PrivateKeySize, len(data))
	}
	key := ed25519.NewKeyFromSeed(data[:ed25519.SeedSize])
	if !key.Equal(ed25519.PrivateKey(data)) {
		return nil, errors.New("Invalid ed25519 secret key: its second half is not the public key of the first")
	}
	return secret(key), nil
}

func (secret) Scheme() string { return "ed25519" }

func (s secret) Sign(_ context.Context, data []byte) ([]byte, error) {
	return ed25519.Sign(ed25519.PrivateKey(s), data), nil
}

// dummy is a key that is its own signature, of anything.
type dummy string

func (dummy) Scheme() string { return "dummy" }

func (d dummy) Sign(context.Context, []byte) ([]byte, error) { return []byte(d), nil }

// CheckDummy fails unless the environment allows the scheme that is no protection.
func CheckDummy() error {
	if os.Getenv("OSTREE_DUMMY_SIGN_ENABLED") != "1" {
		return errors.New("dummy signature type is only for ostree testing")
	}
	return nil
}

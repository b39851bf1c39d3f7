package sign

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// Key is a public key of a scheme.
type Key struct {
	raw  string // as base64 holds it
	id   string // the same for all forms of one key
	made func(data, signature []byte) bool
}

// String is the key in base64, as configuration holds it.
func (k Key) String() string { return base64.StdEncoding.EncodeToString([]byte(k.raw)) }

// Equal reports whether both are the same key, which may be encoded in two ways.
func (k Key) Equal(other Key) bool { return k.id == other.id }

// engine is what is peculiar to a scheme whose keys are numbers.
type engine struct {
	public func(raw []byte) (Key, error)
	secret func(raw []byte) (Signer, error)
	// split finds the raw keys in a file, and where each stands; label is what PEM
	// calls them.
	split func(data []byte, label string) ([]entry, error)
	size  int // of a signature in bytes; 0 is of several sizes
}

// entry is a key in a file.
type entry struct {
	raw   []byte
	place string
	err   error // why it can't be read
}

var engines = map[string]engine{
	"ed25519": {ed25519Public, ed25519Secret, lines, 64},
	"spki":    {spkiPublic, spkiSecret, blocks, 0},
}

// ErrNoScheme is that a scheme is not known, in ostree's words, which its tests and scripts match.
var ErrNoScheme = errors.New("Requested signature type is not implemented")

// Names are those of all schemes but gpg, in the order in which ostree tries them.
func Names() []string { return []string{"ed25519", "spki", "dummy"} }

// ParseKey reads a public key in base64: for ed25519 of 32 bytes, for spki of a
// SubjectPublicKeyInfo in DER (RFC 5280, section 4.1).
func ParseKey(scheme, text string) (Key, error) {
	e, ok := engines[scheme]
	if !ok {
		return Key{}, ErrNoScheme
	}
	raw, err := decode(text)
	if err != nil {
		return Key{}, err
	}
	return e.public(raw)
}

// ParseKeys reads a file of public keys: for ed25519 one in base64 a line, where lines
// that are empty or begin with # are left out; for spki blocks PUBLIC KEY of PEM. The
// error is that of the first that is no key; the keys are the others.
func ParseKeys(scheme string, data []byte) (keys []Key, err error) {
	e, ok := engines[scheme]
	if !ok {
		return nil, ErrNoScheme
	}
	list, err := e.split(data, "PUBLIC KEY")
	for _, one := range list {
		var k Key
		failed := one.err
		if failed == nil {
			k, failed = e.public(one.raw)
		}
		switch {
		case failed == nil:
			keys = append(keys, k)
		case err == nil:
			err = fmt.Errorf("%s: %w", one.place, failed)
		}
	}
	return keys, err
}

// decode reads base64, wherever lines end in it.
func decode(text string) ([]byte, error) {
	raw, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		return nil, errors.New("not a key in base64")
	}
	return raw, nil
}

package sign

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
)

// Key is an Ed25519 public key.
type Key [ed25519.PublicKeySize]byte

// String is the key in base64, as configuration holds it.
func (k Key) String() string { return base64.StdEncoding.EncodeToString(k[:]) }

// ParseKey reads a key in base64.
func ParseKey(text string) (k Key, err error) {
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return k, errors.New("not a key in base64")
	}
	if len(data) != len(k) {
		return k, fmt.Errorf("a key of %d bytes, want %d", len(data), len(k))
	}
	return Key(data), nil
}

// ParseKeys reads a file of keys, one a line. Lines that are empty or begin with
// # are left out; anything else that is no key is an error, so that no
// revocation gets lost.
func ParseKeys(data []byte) (keys []Key, err error) {
	number := 0
	for line := range bytes.Lines(data) {
		number++
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		k, err := ParseKey(string(line))
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		keys = append(keys, k)
	}
	return keys, nil
}

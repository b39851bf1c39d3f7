package trust

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"deployfs/objstore/sign"
)

// KeyStore are the Ed25519 keys of a directory, laid out as the system's are, or of
// the system's where dir is "". There must be one that is trusted.
func KeyStore(dir string) (*sign.Ed25519, error) {
	s := machine
	if dir != "" {
		s.keys = []string{dir}
	}
	return s.store()
}

// store are the Ed25519 keys of the system. There must be one that is trusted.
func (s system) store() (*sign.Ed25519, error) {
	trusted, err := s.load("trusted")
	if err != nil {
		return nil, err
	}
	if len(trusted) == 0 {
		return nil, errors.New("signature: ed25519: no keys loaded")
	}
	revoked, err := s.load("revoked")
	return &sign.Ed25519{Trusted: unique(trusted), Revoked: revoked}, err
}

// KeyFile are the Ed25519 keys of a file, one a line. There must be one.
func KeyFile(path string) (*sign.Ed25519, error) {
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return nil, fmt.Errorf("File object '%s' is not a regular file", path)
	}
	keys, err := readKeys(path)
	if err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("signature: ed25519: no valid keys in file '%s'", path)
	}
	return &sign.Ed25519{Trusted: unique(keys)}, nil
}

// unique leaves out what was there before.
func unique(keys []sign.Key) (list []sign.Key) {
	for _, k := range keys {
		if !slices.Contains(list, k) {
			list = append(list, k)
		}
	}
	return list
}

package trust

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"deployfs/objstore/sign"
)

// KeyStore are the keys of a scheme in a directory, laid out as the system's are, or
// of the system's where dir is "". There must be one that is trusted.
func KeyStore(scheme, dir string) (*sign.Keys, error) {
	if err := hasKeys(scheme); err != nil {
		return nil, err
	}
	s := machine
	if dir != "" {
		s.keys = []string{dir}
	}
	return s.store(scheme)
}

// KeyFile are the keys of a scheme in a file. There must be one.
func KeyFile(scheme, path string) (*sign.Keys, error) {
	if err := hasKeys(scheme); err != nil {
		return nil, err
	}
	keys, err := keyFile(scheme, path)
	return &sign.Keys{Scheme: scheme, Trusted: keys}, err
}

// NoKeysError says that no key of a scheme is stored, in ostree's words but for the
// scheme of tests, whose keys never are.
type NoKeysError struct{ Scheme string }

func (e *NoKeysError) Error() string {
	if e.Scheme == "dummy" {
		return "keys of type dummy are stored nowhere; name a KEY-ID"
	}
	return fmt.Sprintf("signature: %s: no keys loaded", e.Scheme)
}

// hasKeys fails for a scheme whose keys are in no files.
func hasKeys(scheme string) error {
	switch {
	case !slices.Contains(sign.Names(), scheme):
		return sign.ErrNoScheme
	case scheme == "dummy":
		return &NoKeysError{scheme}
	}
	return nil
}

// store are the keys of a scheme in the system's directories. One must be trusted.
func (s system) store(scheme string) (*sign.Keys, error) {
	trusted, err := s.load(scheme, trusted)
	if err != nil {
		return nil, err
	}
	if len(trusted) == 0 {
		return nil, &NoKeysError{scheme}
	}
	revoked, err := s.load(scheme, revoked)
	return &sign.Keys{Scheme: scheme, Trusted: trusted, Revoked: revoked}, err
}

func keyFile(scheme, path string) ([]sign.Key, error) {
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return nil, fmt.Errorf("File object '%s' is not a regular file", path)
	}
	keys, err := readKeys(scheme, trusted, path)
	if err == nil && len(keys) == 0 {
		err = fmt.Errorf("signature: %s: no valid keys in file '%s'", scheme, path)
	}
	return keys, err
}

// The kinds of key files.
const (
	trusted = "trusted"
	revoked = "revoked"
)

// load reads a scheme's keys of one kind.
func (s system) load(scheme, kind string) (keys []sign.Key, err error) {
	for _, dir := range s.keys {
		files := []string{filepath.Join(dir, kind+"."+scheme)}
		entries, err := os.ReadDir(files[0] + ".d")
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for _, e := range entries {
			files = append(files, filepath.Join(files[0]+".d", e.Name()))
		}
		for _, file := range files {
			more, err := readKeys(scheme, kind, file)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, err
			}
			keys = unique(keys, more...)
		}
	}
	return keys, nil
}

// readKeys reads a file of keys. What is no key is passed over, as ostree does it, in a
// file of trusted keys that holds one; never in one of revoked keys.
func readKeys(scheme, kind, path string) ([]sign.Key, error) {
	data, err := readFile(path, maxKeyFile)
	if err != nil {
		return nil, err
	}
	keys, err := sign.ParseKeys(scheme, data)
	if err != nil && (kind == revoked || len(keys) == 0) {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return unique(nil, keys...), nil
}

// unique appends the keys that are not there before.
func unique(list []sign.Key, more ...sign.Key) []sign.Key {
	for _, k := range more {
		if !slices.ContainsFunc(list, k.Equal) {
			list = append(list, k)
		}
	}
	return list
}

package trust

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"deployfs/objstore"
	"deployfs/objstore/openpgp"
	"deployfs/objstore/refs"
	"deployfs/objstore/remote"
)

// ImportKeys puts OpenPGP keys into a remote's keyring, which is in the repository,
// and returns how many of them are new to it. Sources are keyrings of any form; with
// keyIDs, only the keys that these name are taken. The keyring is replaced whole or
// not at all.
func ImportKeys(repo *objstore.Repo, name string, sources [][]byte, keyIDs []string) (int, error) {
	if !refs.IsFragment(name) {
		return 0, fmt.Errorf("%q is not a remote's name", name)
	}
	ring := remote.Keyring(name)
	old, err := readFile(filepath.Join(repo.Path(), ring), maxKeyring)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, err
	}
	data, imported, err := openpgp.Import(old, sources, keyIDs)
	if err != nil {
		return 0, err
	}
	if len(data) == 0 { // an empty keyring would hide the global ones
		return 0, nil
	}
	if len(data) > maxKeyring {
		return 0, fmt.Errorf("%s would be longer than %d bytes", ring, maxKeyring)
	}
	return imported, repo.Replace(repo.Dir(), ring, data, 0o644)
}

package trust

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"deployfs/objstore"
	"deployfs/objstore/openpgp"
	"deployfs/objstore/remote"
)

// globalKeyrings is the directory of the OpenPGP keys that count for remotes that
// have no keyring.
func globalKeyrings() string {
	if dir, ok := os.LookupEnv("OSTREE_GPG_HOME"); ok {
		return dir
	}
	return "/usr/share/ostree/trusted.gpg.d"
}

// AllKeys are the OpenPGP keys of all keyrings in a repository, the global ones, and
// those in the directory home, such as gpg's home of old, unless it is "".
func AllKeys(repo *objstore.Repo, home string) (openpgp.Keyring, error) {
	var rings keyrings
	rings.directory(repo.Path())
	rings.global()
	if home != "" {
		rings.directory(home)
	}
	return rings.parse()
}

// GlobalKeys are the OpenPGP keys that count for remotes that have no keyring.
func GlobalKeys() (openpgp.Keyring, error) {
	var rings keyrings
	rings.global()
	return rings.parse()
}

// RemoteKeys are a remote's own OpenPGP keys: of the keyring of its name, which is
// in the repository, beside the configuration of the system's remotes or in a parent
// repository, and of the files and directories that its gpgkeypath names.
func RemoteKeys(repo *objstore.Repo, remote string) (openpgp.Keyring, error) {
	c, err := machine.remote(repo, remote)
	if err != nil {
		return nil, err
	}
	rings, _, err := c.keyrings()
	if err != nil {
		return nil, err
	}
	return rings.parse()
}

// KeysFor are the OpenPGP keys that count for a remote: its own, and where it has no
// keyring the global ones beside those of its gpgkeypath.
func KeysFor(repo *objstore.Repo, remote string) (openpgp.Keyring, error) {
	return machine.keysFor(repo, remote)
}

func (s system) keysFor(repo *objstore.Repo, remote string) (openpgp.Keyring, error) {
	c, err := s.remote(repo, remote)
	if err != nil {
		return nil, err
	}
	rings, found, err := c.keyrings()
	if err != nil {
		return nil, err
	}
	if !found {
		rings.global()
	}
	return rings.parse()
}

// keyrings reads a remote's own keyrings; found is whether it has one of its name.
func (c config) keyrings() (rings keyrings, found bool, err error) {
	found = slices.ContainsFunc(c.list.Keyrings(c.Name), rings.optional)
	paths, err := keyPaths(c.Remote)
	if err != nil {
		return rings, found, err
	}
	for _, path := range paths {
		rings.keyPath(path)
	}
	return rings, found, nil
}

// keyPaths are the entries of a remote's gpgkeypath, which are separated by ; or by , alone.
func keyPaths(r *remote.Remote) ([]string, error) {
	text, ok := r.Get("gpgkeypath")
	if !ok {
		return nil, nil
	}
	separator := ";"
	if strings.Contains(text, ",") {
		if strings.Contains(text, ";") {
			return nil, errors.New("key value list contains more than one separator")
		}
		separator = ","
	}
	return strings.Split(strings.TrimSuffix(text, separator), separator), nil
}

// keyrings are contents of keyring files, until the first error.
type keyrings struct {
	files [][]byte
	err   error
}

func (k *keyrings) parse() (openpgp.Keyring, error) {
	if k.err != nil {
		return nil, k.err
	}
	return openpgp.ParseKeyring(k.files...)
}

// optional reads a file that need not be there.
func (k *keyrings) optional(path string) (found bool) {
	data, err := readFile(path, maxKeyring)
	if errors.Is(err, fs.ErrNotExist) {
		return false
	}
	k.take(data, err)
	return true
}

func (k *keyrings) take(data []byte, err error) {
	if err != nil && k.err == nil {
		k.err = err
	}
	k.files = append(k.files, data)
}

// global reads the global keyrings.
func (k *keyrings) global() {
	dir := globalKeyrings()
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		k.directory(dir)
	}
}

// directory reads the files *.gpg in a directory, but for those of gpg's own that
// are no public keyrings.
func (k *keyrings) directory(dir string) {
	for _, name := range k.regular(dir) {
		if strings.HasSuffix(name, ".gpg") && name != "trustdb.gpg" && name != "secring.gpg" {
			k.take(readFile(filepath.Join(dir, name), maxKeyring))
		}
	}
}

// keyPath reads a file of keys, or all in a directory.
func (k *keyrings) keyPath(path string) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		k.take(nil, errNoDirectory(path))
	case err != nil:
		k.take(nil, err)
	case !info.IsDir():
		k.take(readFile(path, maxKeyring))
	default:
		for _, name := range k.regular(path) {
			k.take(readFile(filepath.Join(path, name), maxKeyring))
		}
	}
}

// regular are the names of the regular files in a directory, sorted.
func (k *keyrings) regular(dir string) (names []string) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		err = errNoDirectory(dir)
	}
	if err != nil {
		k.take(nil, err)
	}
	for _, e := range entries {
		if e.Type().IsRegular() {
			names = append(names, e.Name())
		}
	}
	return names
}

func errNoDirectory(path string) error {
	return fmt.Errorf("opendir(%s): No such file or directory", path)
}

package trust

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"deployfs/objstore/remote"
	"deployfs/objstore/sign"
)

const (
	maxKeyFile = 1 << 20  // bytes of a file of keys
	maxKeyring = 32 << 20 // bytes of an OpenPGP keyring
)

// system is where a machine keeps what it trusts.
type system struct {
	keys   []string // directories of key files
	places remote.Places
}

var machine = system{
	keys:   []string{"/etc/ostree", "/usr/share/ostree"},
	places: remote.Places{Repos: []string{"/ostree/repo", "/sysroot/ostree/repo"}, Dir: "/etc/ostree/remotes.d"},
}

// load reads the keys of one kind, "trusted" or "revoked".
func (s system) load(kind string) (keys []sign.Key, err error) {
	for _, dir := range s.keys {
		files := []string{filepath.Join(dir, kind+".ed25519")}
		entries, err := os.ReadDir(files[0] + ".d")
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for _, e := range entries {
			files = append(files, filepath.Join(files[0]+".d", e.Name()))
		}
		for _, file := range files {
			more, err := readKeys(file)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, err
			}
			keys = append(keys, more...)
		}
	}
	return keys, nil
}

func readKeys(path string) ([]sign.Key, error) {
	data, err := readFile(path, maxKeyFile)
	if err != nil {
		return nil, err
	}
	keys, err := sign.ParseKeys(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return keys, nil
}

// readFile reads a regular file of bounded size. It never waits for a pipe.
func readFile(path string, limit int64) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: not a regular file", path)
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("%s: longer than %d bytes", path, limit)
	}
	return data, err
}

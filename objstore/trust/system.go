package trust

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"deployfs/objstore/remote"
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

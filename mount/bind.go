package mount

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// The names in the directory of an overlay.
const (
	identityFile = "deployfs-commit"
	lowerName    = "lower"
	upperName    = "upper"
	workName     = "work"
)

// maxIdentity limits the size of an identity in bytes.
const maxIdentity = 64 << 10

// Bind ties dir, the directory of an overlay, to identity: what its upper
// directory was made for. The first call makes the directory where there is
// none and records the identity in it, so that a power cut leaves the whole
// record or none; a later call with the same identity changes nothing. A call
// with another identity is refused with ErrBound, and so is a directory that
// holds anything but no record: it serves something else, or its upper
// directory was made for nobody knows what, and would show a mixture of both.
func Bind(dir, identity string) error {
	if len(identity) > maxIdentity {
		return &Error{Op: "overlay", Path: dir, Err: fmt.Errorf("identity is longer than %d bytes", maxIdentity)}
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return &Error{Op: "overlay", Path: dir, Err: reason(err)}
	}
	have, err := readIdentity(dir)
	if errors.Is(err, os.ErrNotExist) {
		if err := vacant(dir); err != nil {
			return err
		}
		have, err = claim(dir, identity)
	}
	switch {
	case err != nil:
		return &Error{Op: "overlay", Path: dir, Err: reason(err)}
	case have != identity:
		return bound(dir, fmt.Errorf("%w: it was made for %s, not for %s", ErrBound, quote(have), quote(identity)))
	}
	return nil
}

// vacant fails unless dir can become the directory of an overlay. What a new
// file system comes with, and what a Bind that was cut short left, is no matter.
func vacant(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return &Error{Op: "overlay", Path: dir, Err: reason(err)}
	}
	for _, e := range entries {
		switch name := e.Name(); {
		case name == upperName:
			return bound(dir, fmt.Errorf("%w: it has an %s directory, but no record of what that was made for", ErrBound, upperName))
		case name != "lost+found" && !strings.HasPrefix(name, identityFile+"."):
			return &Error{Op: "overlay", Path: dir, Err: fmt.Errorf("%w: there is %s in it", ErrBound, quote(name)),
				Remedy: "use a new or an empty directory"}
		}
	}
	return nil
}

// bound is a refusal of Bind.
func bound(dir string, err error) error {
	q := func(name string) string { return quote(filepath.Join(dir, name)) }
	return &Error{Op: "overlay", Path: dir, Err: err,
		Remedy: fmt.Sprintf("use another directory; or give up what was changed in this one with `rm -rf %s %s %s`",
			q(identityFile), q(upperName), q(workName))}
}

// readIdentity returns what dir is bound to.
func readIdentity(dir string) (string, error) {
	f, err := os.Open(filepath.Join(dir, identityFile))
	if err != nil {
		return "", err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxIdentity+1))
	if err != nil {
		return "", err
	}
	if n := len(data); n > 0 && data[n-1] == '\n' {
		return string(data[:n-1]), nil
	}
	return "", fmt.Errorf("%s is damaged", identityFile)
}

// claim records identity in dir and returns what dir is bound to then: of two
// processes that claim it at the same time, one wins.
func claim(dir, identity string) (string, error) {
	temp, err := writeTemp(dir, identity+"\n")
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, identityFile)
	err = unix.Renameat2(unix.AT_FDCWD, temp, unix.AT_FDCWD, file, unix.RENAME_NOREPLACE)
	if err != nil {
		os.Remove(temp)
	}
	if err != nil && err != unix.EEXIST {
		return "", fmt.Errorf("rename to %s: %w", identityFile, err)
	}
	if err := syncDir(dir); err != nil {
		return "", err
	}
	return readIdentity(dir)
}

// writeTemp writes content to a new file in dir, down to the disk, and returns
// its name.
func writeTemp(dir, content string) (string, error) {
	f, err := os.CreateTemp(dir, identityFile+".*")
	if err != nil {
		return "", err
	}
	defer f.Close()
	_, err = f.WriteString(content)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return f.Name(), err
}

// syncDir writes the names in dir down to the disk.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

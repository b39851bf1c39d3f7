package objstore

import (
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"

	"deployfs/objstore/object"
	"deployfs/objstore/refs"
)

// RefEntry is a name in a directory of refs: a directory, or a ref.
type RefEntry struct {
	Name   string
	Dir    bool
	Commit object.Checksum // of a ref
}

// RefDir lists one directory of refs, sorted: a path below refs, such as
// "heads/os" or "remotes". One that is absent, or no directory, is empty. What is
// no ref by its name, or names no commit, is left out.
func (r *Repo) RefDir(dir string) ([]RefEntry, error) {
	names, err := r.readNames(r.dir, "refs/"+dir)
	if errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ELOOP) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("listing refs: %w", err)
	}
	var list []RefEntry
	for _, name := range names {
		e, err := r.RefEntry(dir, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	return list, nil
}

// RefEntry finds a name in a directory of refs, or fails with fs.ErrNotExist.
func (r *Repo) RefEntry(dir, name string) (RefEntry, error) {
	e := RefEntry{Name: name}
	path := dir + "/" + name
	if !refs.IsFragment(name) {
		return e, fs.ErrNotExist
	}
	var st unix.Stat_t
	err := unix.Fstatat(int(r.dir.Fd()), "refs/"+path, &st, unix.AT_SYMLINK_NOFOLLOW)
	if err == unix.ENOTDIR {
		return e, fs.ErrNotExist
	}
	if err != nil {
		return e, fmt.Errorf("ref %s: %w", path, err)
	}
	if st.Mode&unix.S_IFMT == unix.S_IFDIR {
		e.Dir = true
		return e, nil
	}
	text, err := r.readRef(path)
	if errors.Is(err, unix.EISDIR) || errors.Is(err, unix.EXDEV) || errors.Is(err, unix.ELOOP) || err == nil && !object.IsChecksum(text) {
		return e, fs.ErrNotExist
	}
	if err != nil {
		return e, fmt.Errorf("ref %s: %w", path, err)
	}
	e.Commit, err = object.ParseChecksum(text)
	return e, err
}

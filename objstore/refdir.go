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

// EachRef visits one directory of refs, sorted, until visit returns false: a path
// below refs, such as "heads/os" or "remotes". One that is absent, or no directory,
// is empty. What is no ref by its name, or names no commit, is left out.
func (r *Repo) EachRef(dir string, visit func(RefEntry) bool) error {
	names, err := r.readNames(r.dir, "refs/"+dir)
	if errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ELOOP) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("listing refs: %w", err)
	}
	for _, name := range names {
		e, err := r.RefEntry(dir, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if !visit(e) {
			return nil
		}
	}
	return nil
}

// RefDir lists what [Repo.EachRef] visits.
func (r *Repo) RefDir(dir string) (list []RefEntry, err error) {
	err = r.EachRef(dir, func(e RefEntry) bool { list = append(list, e); return true })
	return list, err
}

// RefEntry finds a name in a directory of refs, or fails with fs.ErrNotExist.
func (r *Repo) RefEntry(dir, name string) (RefEntry, error) {
	e := RefEntry{Name: name}
	if !refs.IsFragment(name) {
		return e, fs.ErrNotExist
	}
	path := dir + "/" + name
	var st unix.Stat_t
	if err := unix.Fstatat(int(r.dir.Fd()), "refs/"+path, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return e, refError(path, err)
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFDIR:
		e.Dir = true
		return e, nil
	case unix.S_IFREG, unix.S_IFLNK:
	default:
		return e, fs.ErrNotExist
	}
	text, err := r.readRef(path)
	if err != nil {
		return e, refError(path, err)
	}
	if !object.IsChecksum(text) {
		return e, fs.ErrNotExist
	}
	e.Commit, err = object.ParseChecksum(text)
	return e, err
}

// refError tells that nobody can read more, of this ref or of another, from that
// there is no ref.
func refError(path string, err error) error {
	for _, failure := range []error{unix.EIO, unix.ENOMEM, unix.EMFILE, unix.ENFILE} {
		if errors.Is(err, failure) {
			return fmt.Errorf("ref %s: %w", path, err)
		}
	}
	return fs.ErrNotExist
}

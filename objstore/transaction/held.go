package transaction

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/object"
)

// place is where an object is.
type place int

const (
	absent place = iota
	staged       // by this transaction, or by one that was cut off
	stored       // in the repository
)

// form is what is known of an object's file before it is read. What has another form
// was torn by a crash or by somebody, and is no object.
type form struct {
	typ  uint32 // type bits; 0 for any that the kind of object may have
	size int64  // of a regular file, in bytes; negative when it is not known
}

var anyForm = form{size: -1}

// formOf is the form of content.
func (t *Transaction) formOf(h *object.Header) form {
	switch mode := t.repo.Mode(); {
	case mode == objstore.Archive, mode == objstore.BareUser && h.IsSymlink():
		return form{unix.S_IFREG, -1}
	case h.IsSymlink():
		return form{unix.S_IFLNK, -1}
	}
	return form{unix.S_IFREG, int64(h.Size)}
}

// linksIn reports whether an object may be a symbolic link on the disk.
func linksIn(repo *objstore.Repo, kind object.Kind) bool {
	mode := repo.Mode()
	return kind == object.KindPayloadLink || kind == object.KindFile && mode != objstore.Archive && mode != objstore.BareUser
}

func (t *Transaction) fits(f form, name object.Name, st *unix.Stat_t, at place) bool {
	switch typ := st.Mode & unix.S_IFMT; {
	case f.typ != 0 && f.typ != typ:
		return false
	case typ == unix.S_IFLNK:
		return linksIn(t.repo, name.Kind)
	case typ != unix.S_IFREG:
		return false
	case f.size >= 0:
		return f.size == st.Size
	}
	return st.Size > 0 || t.mayBeEmpty(name, at)
}

// mayBeEmpty reports whether an object with an empty file is one: an empty file in a
// bare repository.
func (t *Transaction) mayBeEmpty(name object.Name, at place) bool {
	if name.Kind != object.KindFile || t.repo.Mode() == objstore.Archive {
		return false
	}
	if at == staged {
		return true
	}
	h, err := t.repo.Header(name.Checksum)
	return err == nil && objstore.CheckEmpty(name.Checksum, h) == nil
}

// find looks for an object in the repository itself, and among what is staged. One that
// is torn is absent: it will be replaced by what is written. A commit that is found
// staged becomes one of this transaction.
func (t *Transaction) find(name object.Name, f form) (place, error) {
	objects, path := t.repo.ObjectFile(name)
	there, fits, err := t.look(objects, path, name, f, stored)
	if fits || err != nil {
		return stored, err
	}
	if there {
		t.torn.Store(path, true)
	}
	if t.direct {
		return absent, nil
	}
	there, fits, err = t.look(t.objects, path, name, f, staged)
	switch {
	case err != nil:
		return absent, err
	case fits && name.Kind == object.KindCommit:
		t.claim(name)
		return staged, nil
	case fits:
		return staged, nil
	case there:
		return absent, objstore.RemoveAll(int(t.objects.Fd()), path)
	}
	return absent, nil
}

// look looks at what is at an object's place.
func (t *Transaction) look(dir *os.File, path string, name object.Name, f form, at place) (there, fits bool, err error) {
	var st unix.Stat_t
	switch err := unix.Fstatat(int(dir.Fd()), path, &st, unix.AT_SYMLINK_NOFOLLOW); err {
	case nil:
		return true, t.fits(f, name, &st, at), nil
	case unix.ENOENT:
		return false, false, nil
	default:
		return false, false, fmt.Errorf("looking for object %s: %w", name, err)
	}
}

// Has reports whether the repository itself, not a parent, holds an object or
// will with this transaction.
func (t *Transaction) Has(name object.Name) (bool, error) {
	at, err := t.find(name, anyForm)
	return at != absent, err
}

// hasContent is Has for content whose header is known, too.
func (t *Transaction) hasContent(name object.Name, h *object.Header) (bool, error) {
	at, err := t.find(name, t.formOf(h))
	return at != absent, err
}

// isTorn reports whether something that is no object is at an object's place.
func (t *Transaction) isTorn(path string) bool {
	_, torn := t.torn.Load(path)
	return torn
}

// mend puts an object in the place of what is torn. Link gives the object's file a name.
func (t *Transaction) mend(objects *os.File, path string, link func(dir *os.File, name string) error) error {
	temp := objstore.TemporaryName()
	if err := link(t.stage.dir, temp); err != nil {
		return err
	}
	return t.swapIn(temp, objects, path)
}

// swapIn is mend for what has a name in the staging directory.
func (t *Transaction) swapIn(temp string, objects *os.File, path string) error {
	dir := t.stage.dir
	err := swap(int(dir.Fd()), temp, int(objects.Fd()), path)
	return errors.Join(err, objstore.RemoveAll(int(dir.Fd()), temp))
}

// swap gives a file the name of another, or of a directory, and that its own name.
func swap(from int, name string, to int, path string) error {
	err := unix.Renameat2(from, name, to, path, unix.RENAME_EXCHANGE)
	if err == unix.EINVAL { // the file system does not know how
		return unix.Renameat(from, name, to, path)
	}
	return err
}

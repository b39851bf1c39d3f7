package transaction

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/object"
)

// near reports whether objects of another repository may be linked: they are on
// the same file system and belong to the same owner.
func (t *Transaction) near(src *objstore.Repo) bool {
	if known, ok := t.sources.Load(src); ok {
		return known.(bool)
	}
	var here, there unix.Stat_t
	ours, _ := t.repo.ObjectFile(object.Name{Kind: object.KindCommit})
	theirs, _ := src.ObjectFile(object.Name{Kind: object.KindCommit})
	near := unix.Fstat(int(ours.Fd()), &here) == nil && unix.Fstat(int(theirs.Fd()), &there) == nil &&
		here.Dev == there.Dev && here.Uid == there.Uid
	t.sources.Store(src, near)
	return near
}

// alike reports whether another repository keeps objects of some kind as this one
// does. Regular files of mode bare-user are what bare-user-only keeps, too.
func (t *Transaction) alike(src *objstore.Repo, kind object.Kind) bool {
	return kind != object.KindFile || src.Mode() == t.repo.Mode() || t.sheds(src)
}

// sheds reports whether the repository keeps files as src does, but for owner,
// type and xattrs.
func (t *Transaction) sheds(src *objstore.Repo) bool {
	return src.Mode() == objstore.BareUser && t.repo.Mode() == objstore.BareUserOnly
}

// importLink links the file of an object that is in src itself. False: that can't
// be done.
func (t *Transaction) importLink(src *objstore.Repo, name object.Name) (bool, error) {
	if !t.near(src) || !t.alike(src, name.Kind) {
		return false, nil
	}
	if err := t.bucket(name); err != nil {
		return false, err
	}
	objects, from := src.ObjectFile(name)
	_, to := t.repo.ObjectFile(name)
	link := func(dir *os.File, to string) error {
		return unix.Linkat(int(objects.Fd()), from, int(dir.Fd()), to, 0)
	}
	err := link(t.objects, to)
	if err == unix.EEXIST && t.direct && t.isTorn(to) {
		err = t.mend(t.objects, to, link)
	}
	switch err {
	case nil:
		return true, t.syncLink(to)
	case unix.EEXIST:
		return true, nil
	case unix.EMLINK, unix.EXDEV, unix.EPERM:
		return false, nil
	default:
		return false, fmt.Errorf("linkat: %w", err)
	}
}

// holder is the repository that has an object, if one has: src or one of its parents.
func holder(src *objstore.Repo, name object.Name) (*objstore.Repo, error) {
	if src.Parent() == nil {
		return src, nil
	}
	for ; src != nil; src = src.Parent() {
		err := checkFile(src, name)
		if !errors.Is(err, fs.ErrNotExist) {
			return src, err
		}
	}
	return nil, &object.NotExistError{Object: name}
}

// checkFile fails unless the file of an object is of a type that it may have.
func checkFile(src *objstore.Repo, name object.Name) error {
	objects, path := src.ObjectFile(name)
	var st unix.Stat_t
	switch err := unix.Fstatat(int(objects.Fd()), path, &st, unix.AT_SYMLINK_NOFOLLOW); err {
	case nil:
	case unix.ENOENT:
		return &object.NotExistError{Object: name}
	default:
		return err
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		return nil
	case unix.S_IFLNK:
		if linksIn(src, name.Kind) {
			return nil
		}
	}
	return object.Corrupt(name, errors.New("not a regular file"))
}

// syncLink makes durable what is linked into its place at once.
func (t *Transaction) syncLink(path string) error {
	if !t.each || !t.durable {
		return nil
	}
	fd, err := unix.Openat(int(t.objects.Fd()), path, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err == unix.ELOOP {
		return nil
	}
	if err != nil {
		return fmt.Errorf("openat(%s): %w", path, err)
	}
	defer unix.Close(fd)
	if err := unix.Fsync(fd); err != nil {
		return fmt.Errorf("fsync: %w", err)
	}
	return nil
}

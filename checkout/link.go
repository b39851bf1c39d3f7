package checkout

import (
	"slices"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/object"
)

// wording is an error in ostree's words.
type wording string

func (w wording) Error() string { return string(w) }

// What ostree says when all files must be links and the repository's can't be.
const (
	errUserRepo = wording("User repository mode requires user checkout mode to hardlink")
	errBareRepo = wording("Bare repository mode cannot hardlink in user checkout mode")
)

// source is a repository to whose files links may be made.
type source struct {
	*objstore.Repo
	linkable bool // it keeps regular files as they must look here
	userMode bool // it keeps files so that any user can own them, and symbolic links so that none can be linked
	caching  bool // it keeps what is inflated
}

// sources are the repository and its parents.
func (r *run) sources(repo *objstore.Repo) (list []source) {
	for ; repo != nil; repo = repo.Parent() {
		s := source{Repo: repo, userMode: repo.Mode() == objstore.BareUser || repo.Mode() == objstore.BareUserOnly}
		s.linkable = repo.Mode() == objstore.Bare && !r.User || s.userMode && r.User
		s.caching = r.Cache && r.User && keepsInflated(repo)
		list = append(list, s)
	}
	return list
}

// mayLink reports whether it makes sense to try links.
func (r *run) mayLink() bool {
	some := slices.ContainsFunc(r.from, func(s source) bool { return s.linkable || s.caching })
	return r.Links == LinkAlways || some && r.Links != LinkNothing
}

// link makes t a link to its object, in the repository or a parent, or in the cache of one. It is not
// done when t must be copied.
func (w *worker) link(t target) (done bool, err error) {
	for _, s := range w.from {
		switch {
		case s.userMode && t.IsSymlink():
		case s.linkable:
			objects, path := s.ObjectFile(object.Name{Checksum: t.sum, Kind: object.KindFile})
			done, err = w.linkTo(int(objects.Fd()), path, t)
		case w.Links == LinkAlways && s.userMode:
			err = errUserRepo
		case w.Links == LinkAlways:
			err = errBareRepo
		case s.caching && !t.IsSymlink():
			done, err = w.linkCached(s.Repo, t)
		}
		if done || err != nil {
			return done, err
		}
	}
	if w.from[0].caching && !t.IsSymlink() {
		return w.linkUnpacked(t)
	}
	return false, nil
}

// linkTo makes t a link to the file at path. It is not done when there is none, or no link can be made.
func (w *worker) linkTo(dir int, path string, t target) (done bool, err error) {
	err = unix.Linkat(dir, path, t.dir, t.name, 0)
	switch {
	case err == nil:
		return true, nil
	case err == unix.ENOENT:
		return false, nil
	case err == unix.EEXIST && w.Overwrite == Keep:
		return true, nil
	case err == unix.EEXIST && w.Overwrite != Refuse:
		return true, w.linkOver(dir, path, t)
	case err == unix.EMLINK, err == unix.EXDEV, err == unix.EPERM:
		if w.Links != LinkAlways {
			return false, nil
		}
	}
	return false, failed("Hardlinking "+path+" to "+t.name, err)
}

// linkOver makes t a link where something else is, unless that is the same or must stay.
func (w *worker) linkOver(dir int, path string, t target) error {
	var src, dest unix.Stat_t
	if err := unix.Fstatat(dir, path, &src, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return failed("fstatat("+path+")", err)
	}
	if err := unix.Fstatat(t.dir, t.name, &dest, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return failed("fstatat("+t.name+")", err)
	}
	same := src.Dev == dest.Dev && src.Ino == dest.Ino
	if !same && looksLike(&src, &dest) {
		var err error
		if same, err = w.is(t, &dest); err != nil {
			return err
		}
	}
	switch {
	case same:
		return nil
	case w.Overwrite == Identical:
		return failed("Hardlinking "+path+" to "+t.name, unix.EEXIST)
	}
	if err := w.vacate(t); err != nil {
		return err
	}
	err := replaceAt(t.dir, t.name, func(temp string) error { return unix.Linkat(dir, path, t.dir, temp, 0) })
	if err != nil {
		return failed("renameat(.checkout-union, "+t.name+")", err)
	}
	return nil
}

package checkout

import (
	"errors"
	"fmt"
	"path"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/tree"
)

// place is where a checkout goes.
type place struct {
	dir   int    // the directory that holds it
	name  string // its name there
	shown string // in messages
}

// place checks out what stands in the commit at from: a directory becomes the one at the place, a file
// goes into it.
func (r *run) place(from tree.Entry, at place) error {
	defer r.cache.close()
	if !from.IsDir() {
		r.Skip = nil
		return r.into(at, true, func(fd int, made bool) error { return r.single(fd, from) })
	}
	root, err := r.load(from.Tree, from.Meta)
	if err != nil || r.skips("/") {
		return err
	}
	fill := func(fd int, made bool) error {
		root.fd, root.made, root.path = fd, made, "/"
		return r.all(root)
	}
	if r.isOpaque(root) {
		return r.instead(at, fill)
	}
	return r.into(at, r.Overwrite != Refuse, fill)
}

// single puts one file into the directory fd.
func (r *run) single(fd int, from tree.Entry) error {
	w := worker{run: r}
	return w.file(fd, path.Base(from.Path), from.Content)
}

// into has fill put things into the directory at a place: the one that is there, if it may be, or one
// that is made aside and gets its name when it is full.
func (r *run) into(at place, mayExist bool, fill func(fd int, made bool) error) error {
	var st unix.Stat_t
	switch err := unix.Fstatat(at.dir, at.name, &st, unix.AT_SYMLINK_NOFOLLOW); {
	case err == unix.ENOENT:
		return r.intoNew(at, fill, renameNew)
	case err != nil:
		return failed("mkdirat", err)
	case !mayExist:
		return failed("mkdirat", unix.EEXIST)
	}
	fd, err := unix.Openat(at.dir, at.name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return failed("opendir("+at.shown+")", err)
	}
	defer unix.Close(fd)
	if err := r.filled(fd, false, fill); err != nil {
		return err
	}
	return r.sync(fd)
}

// instead has fill put things into a new directory, which then is at the place instead of whatever is
// there, also of a symbolic link: when it fails, that is still there.
func (r *run) instead(at place, fill func(fd int, made bool) error) error {
	if at.name == "." {
		return failed("unlinkat(.)", unix.EINVAL)
	}
	return r.intoNew(at, fill, func(dir int, from, to string) error {
		err := renameNew(dir, from, to)
		if err == unix.EEXIST {
			err = exchange(dir, from, to)
		}
		return err
	})
}

// intoNew fills a directory beside the place, to which rename brings it.
func (r *run) intoNew(at place, fill func(fd int, made bool) error, rename func(dir int, from, to string) error) (err error) {
	r.aside = true
	removeStale(at.dir)
	aside, fd, err := makeAside(at.dir)
	if err != nil {
		return failed("mkdirat", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, objstore.RemoveAll(at.dir, aside))
		}
	}()
	defer unix.Close(fd)
	if err := r.filled(fd, true, fill); err != nil {
		return err
	}
	if err := r.sync(fd); err != nil {
		return err
	}
	if err := rename(at.dir, aside, at.name); err != nil {
		return failed("mkdirat", err)
	}
	return r.syncName(at.dir)
}

// filled checks what links need, and fills.
func (r *run) filled(fd int, made bool, fill func(fd int, made bool) error) error {
	if err := r.sameDevice(fd); err != nil {
		return err
	}
	if err := fill(fd, made); err != nil {
		return err
	}
	return r.ctx.Err()
}

// sameDevice fails where no link can be made, if all files must be links.
func (r *run) sameDevice(fd int) error {
	if r.Links != LinkAlways {
		return nil
	}
	var src, dest unix.Stat_t
	if err := errors.Join(unix.Fstat(int(r.repo.Dir().Fd()), &src), unix.Fstat(fd, &dest)); err != nil {
		return failed("fstat", err)
	}
	if src.Dev != dest.Dev {
		return fmt.Errorf("Unable to do hardlink checkout across devices (src=%d destination=%d)", src.Dev, dest.Dev)
	}
	return nil
}

// renameNew gives a directory a name that nothing has.
func renameNew(dir int, from, to string) error {
	err := unix.Renameat2(dir, from, dir, to, unix.RENAME_NOREPLACE)
	if err != unix.EINVAL && err != unix.ENOSYS {
		return err
	}
	if err := unix.Mkdirat(dir, to, 0o700); err != nil { // an empty directory can be replaced
		return err
	}
	return unix.Renameat(dir, from, dir, to)
}

// exchange gives a directory a name that something else has, which goes.
func exchange(dir int, from, to string) error {
	err := unix.Renameat2(dir, from, dir, to, unix.RENAME_EXCHANGE)
	switch {
	case err == nil:
		return objstore.RemoveAll(dir, from)
	case err != unix.EINVAL && err != unix.ENOSYS:
		return err
	}
	if err := objstore.RemoveAll(dir, to); err != nil {
		return err
	}
	return unix.Renameat(dir, from, dir, to)
}

// sync writes the file system of fd to disk.
func (r *run) sync(fd int) error {
	if !r.Sync {
		return nil
	}
	if err := unix.Syncfs(fd); err != nil {
		return failed("syncfs", err)
	}
	return nil
}

// syncName writes a directory's names to disk.
func (r *run) syncName(dir int) error {
	if !r.Sync {
		return nil
	}
	fd, err := unix.Openat(dir, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return failed("opendir", err)
	}
	defer unix.Close(fd)
	if err := unix.Fsync(fd); err != nil {
		return failed("fsync", err)
	}
	return nil
}

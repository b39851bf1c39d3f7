package checkout

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
)

// looksLike reports whether two files could be the same object, as far as stat tells.
func looksLike(a, b *unix.Stat_t) bool {
	isFile := a.Mode&unix.S_IFMT == unix.S_IFREG
	return a.Mode == b.Mode && a.Uid == b.Uid && a.Gid == b.Gid && (!isFile || a.Size == b.Size)
}

// is reports whether the file that is there, of which st is known, is the object that t is to be.
func (r *run) is(t target, st *unix.Stat_t) (bool, error) {
	kind := st.Mode & unix.S_IFMT
	if kind != unix.S_IFREG && kind != unix.S_IFLNK {
		return false, nil
	}
	path := fmt.Sprintf("/proc/self/fd/%d/%s", t.dir, t.name)
	h, err := objstore.FileHeader(path, st, r.repo.HasXattrs())
	if err != nil {
		return false, err
	}
	if r.repo.Mode() == objstore.BareUserOnly {
		h.UID, h.GID = 0, 0
		if kind == unix.S_IFREG {
			h.Mode &= unix.S_IFREG | 0o755
		}
	}
	if kind == unix.S_IFLNK {
		return objstore.HeaderChecksum(h) == t.sum, nil
	}
	fd, err := unix.Openat(t.dir, t.name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return false, failed("openat("+t.name+")", err)
	}
	f := os.NewFile(uintptr(fd), t.name)
	defer f.Close()
	sum, err := objstore.ContentChecksum(h, f)
	return sum == t.sum, err
}

// isThere reports whether t's name is taken by the object that it is to be.
func (r *run) isThere(t target) (bool, error) {
	var st unix.Stat_t
	err := unix.Fstatat(t.dir, t.name, &st, unix.AT_SYMLINK_NOFOLLOW)
	if errors.Is(err, unix.ENOENT) {
		return false, nil
	}
	if err != nil {
		return false, failed("fstatat("+t.name+")", err)
	}
	return r.is(t, &st)
}

// taken reports whether something has t's name.
func taken(t target) bool {
	var st unix.Stat_t
	return unix.Fstatat(t.dir, t.name, &st, unix.AT_SYMLINK_NOFOLLOW) == nil
}

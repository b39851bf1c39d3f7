package checkout

import (
	"os"
	"regexp"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
)

// A directory that is being filled is locked by whoever fills it. One that is not was left by a
// checkout that was cut off, and the next one beside it removes it.

// asideName is what [makeTemp] calls a directory.
var asideName = regexp.MustCompile(`^\.checkout-[A-Z2-7]{12}$`)

// makeAside makes a directory in another, opens and locks it.
func makeAside(dir int) (name string, fd int, err error) {
	for {
		name, err = makeTemp(func(name string) error { return unix.Mkdirat(dir, name, 0o700) })
		if err != nil {
			return "", -1, err
		}
		fd, locked, err := lockAside(dir, name)
		if locked || err != nil && err != unix.ENOENT {
			return name, fd, err
		}
	}
}

// lockAside opens and locks a directory; false when somebody else has it, or has just removed it.
func lockAside(dir int, name string) (fd int, locked bool, err error) {
	fd, err = unix.Openat(dir, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, false, err
	}
	var there, open unix.Stat_t
	switch err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); {
	case err == unix.EWOULDBLOCK:
	case unix.Fstat(fd, &open) == nil && unix.Fstatat(dir, name, &there, unix.AT_SYMLINK_NOFOLLOW) == nil && open.Ino == there.Ino:
		return fd, true, nil // also where the file system has no locks
	}
	unix.Close(fd)
	return -1, false, nil
}

// removeStale removes from a directory what checkouts of this user have left in it. That it can't is no
// reason not to check out.
func removeStale(dir int) {
	fd, err := unix.Openat(dir, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	list := os.NewFile(uintptr(fd), ".")
	defer list.Close()
	names, _ := list.Readdirnames(-1)
	for _, name := range names {
		if asideName.MatchString(name) {
			removeOneStale(dir, name)
		}
	}
}

func removeOneStale(dir int, name string) {
	fd, locked, err := lockAside(dir, name)
	if err != nil || !locked {
		return
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil || int(st.Uid) != os.Geteuid() {
		return
	}
	if unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) == nil { // without locks nobody knows
		objstore.RemoveAll(dir, name)
	}
}

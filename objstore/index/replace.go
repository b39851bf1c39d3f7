package index

import (
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// put writes a file aside and gives it its name. It is not synced: what a crash
// leaves of it is found out by its checksum.
func (f *folder) put(name string, data []byte) error {
	temp := fmt.Sprintf(".%d-%d.new", os.Getpid(), time.Now().UnixNano())
	fd, err := unix.Openat(int(f.Fd()), temp, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return err
	}
	file := os.NewFile(uintptr(fd), temp)
	_, err = file.Write(data)
	if err == nil {
		err = unix.Fchmod(fd, f.permOf(data))
	}
	if e := file.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = f.replace(temp, name)
	}
	if err != nil {
		f.remove(temp)
	}
	return err
}

// permOf is what an index may be read by: those who may read the repository,
// or its owner alone when it tells what the repository's files do not tell them.
func (f *folder) permOf(data []byte) uint32 {
	if le32(data[atFlags:])&flagGuarded != 0 {
		return f.perm & 0o400
	}
	return f.perm
}

// replace gives the file temp its name.
func (f *folder) replace(temp, name string) error {
	if f.lock() {
		defer f.unlock()
	}
	err := unix.Renameat(int(f.Fd()), temp, int(f.Fd()), name)
	if err == unix.EISDIR {
		f.remove(name)
		err = unix.Renameat(int(f.Fd()), temp, int(f.Fd()), name)
	}
	return err
}

// lock keeps others from removing what replace puts in place. It does not wait:
// anybody could hold the lock for ever.
func (f *folder) lock() bool {
	return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil
}

func (f *folder) unlock() { unix.Flock(int(f.Fd()), unix.LOCK_UN) }

// remove removes a file, or a directory that is in its place.
func (f *folder) remove(name string) error {
	var st unix.Stat_t
	if err := unix.Fstatat(int(f.Fd()), name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return err // a read-only filesystem would say just that
	}
	err := unix.Unlinkat(int(f.Fd()), name, 0)
	if err == unix.EISDIR {
		err = os.RemoveAll(fmt.Sprintf("/proc/self/fd/%d/%s", f.Fd(), name))
	}
	return err
}

// removeIf removes a file if it is still the one that st tells about.
func (f *folder) removeIf(name string, st *unix.Stat_t) {
	if !f.lock() {
		return // somebody is replacing it
	}
	defer f.unlock()
	var now unix.Stat_t
	if unix.Fstatat(int(f.Fd()), name, &now, unix.AT_SYMLINK_NOFOLLOW) == nil && now.Dev == st.Dev && now.Ino == st.Ino {
		f.remove(name)
	}
}

// removeOld removes what an interrupted put left behind.
func (f *folder) removeOld(name string) {
	var st unix.Stat_t
	if unix.Fstatat(int(f.Fd()), name, &st, unix.AT_SYMLINK_NOFOLLOW) == nil &&
		strings.HasSuffix(name, ".new") && time.Since(time.Unix(st.Mtim.Unix())) > leftAfter {
		f.remove(name)
	}
}

// names lists what is in the folder.
func (f *folder) names() ([]string, error) {
	fd, err := unix.Openat(int(f.Fd()), ".", openFlags|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	dir := os.NewFile(uintptr(fd), f.Name())
	defer dir.Close()
	return dir.Readdirnames(-1)
}

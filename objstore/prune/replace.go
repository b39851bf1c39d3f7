package prune

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// replace puts a file in place at once, whole or not at all. Perm are its
// permissions; with an owner it gets that one's, if it may.
func (p *pruner) replace(dir *os.File, path string, data []byte, perm uint32, owner *unix.Stat_t) error {
	repo := int(p.repo.Dir().Fd())
	if err := unix.Mkdirat(repo, "tmp", 0o775); err != nil && err != unix.EEXIST {
		return fmt.Errorf("mkdir(tmp): %w", plain(err))
	}
	temp := fmt.Sprintf("tmp/prune-%d-%d", os.Getpid(), time.Now().UnixNano())
	fd, err := unix.Openat(repo, temp, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return fmt.Errorf("openat(%s): %w", temp, plain(err))
	}
	file := os.NewFile(uintptr(fd), temp)
	_, err = file.Write(data)
	if err == nil && owner != nil && unix.Fchown(fd, int(owner.Uid), int(owner.Gid)) != nil {
		perm &^= 0o7000 // somebody else's now
	}
	if err == nil {
		err = unix.Fchmod(fd, perm)
	}
	if err == nil && !p.sync.off {
		err = file.Sync()
	}
	err = errors.Join(err, file.Close())
	if err == nil {
		err = unix.Renameat(repo, temp, int(dir.Fd()), path)
	}
	if err != nil {
		err = errors.Join(err, unix.Unlinkat(repo, temp, 0))
	}
	return err
}

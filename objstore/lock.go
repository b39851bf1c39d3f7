package objstore

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Lock is the repository's lock, held until it is closed or the process ends.
type Lock struct{ file *os.File }

// lockPoll is the time between two tries.
const lockPoll = 50 * time.Millisecond

// LockShared takes the lock that `ostree prune` and other deleters wait for, the
// way ostree does: an open file description lock on REPO/.lock. A repository
// that can't be written is not locked: then the Lock is nil, and so is the error.
func (r *Repo) LockShared(timeout time.Duration) (*Lock, error) {
	fd, err := unix.Openat(int(r.dir.Fd()), ".lock", unix.O_RDWR|unix.O_CREAT|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0o660)
	if errors.Is(err, unix.EROFS) || errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("opening lock of repo %s: %w", r.path, describe(err))
	}
	file := os.NewFile(uintptr(fd), ".lock")
	for deadline := time.Now().Add(timeout); ; time.Sleep(lockPoll) {
		err = unix.FcntlFlock(uintptr(fd), unix.F_OFD_SETLK, &unix.Flock_t{Type: unix.F_RDLCK})
		if err == nil {
			return &Lock{file}, nil
		}
		if !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EACCES) || time.Now().After(deadline) {
			file.Close()
			return nil, fmt.Errorf("Locking repo shared failed: %w", describe(err))
		}
	}
}

// Close gives the lock back. Closing a nil Lock does nothing.
func (l *Lock) Close() error {
	if l == nil {
		return nil
	}
	return l.file.Close()
}

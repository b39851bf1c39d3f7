package objstore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

const (
	lockPoll           = 50 * time.Millisecond // between two tries
	defaultLockTimeout = 300                   // seconds, ostree's
	maxLockTimeout     = 1 << 30               // seconds, 34 years
)

// ErrLocked says that somebody else holds the lock, in ostree's words.
var ErrLocked = errors.New("Locking repo shared failed")

// Lock is the lock of a repository and its parents, held until it is closed or
// the process ends.
type Lock struct{ files []*os.File }

// LockShared takes the lock that `ostree prune` and other deleters wait for, the
// way ostree does: an open file description lock on REPO/.lock, for which it
// waits as long as core.lock-timeout-secs says. Repositories that can't be
// written, or that say core.locking=false, are not locked; when none is, the
// Lock is nil, and so is the error.
func (r *Repo) LockShared(ctx context.Context) (*Lock, error) {
	l := &Lock{}
	for repo := r; repo != nil; repo = repo.parent {
		file, err := repo.lockFile()
		if err == nil && file != nil {
			l.files = append(l.files, file)
			err = repo.waitShared(ctx, file)
		}
		if err != nil {
			return nil, errors.Join(err, l.Close())
		}
	}
	if len(l.files) == 0 {
		return nil, nil
	}
	return l, nil
}

// lockFile opens the repository's lock file; nil when it is not to be locked.
func (r *Repo) lockFile() (*os.File, error) {
	if locking, err := r.config.Bool("core", "locking", true); err != nil || !locking {
		return nil, err
	}
	fd, err := unix.Openat(int(r.dir.Fd()), ".lock", unix.O_RDWR|unix.O_CREAT|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0o660)
	if errors.Is(err, unix.EROFS) || errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("opening lock of repo %s: %w", r.path, describe(err))
	}
	return os.NewFile(uintptr(fd), ".lock"), nil
}

func (r *Repo) waitShared(ctx context.Context, file *os.File) error {
	timeout, err := r.lockTimeout()
	if err != nil {
		return err
	}
	for start := time.Now(); ; {
		err := unix.FcntlFlock(file.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{Type: unix.F_RDLCK})
		if err == nil {
			return nil
		}
		held := errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES)
		if !held || timeout >= 0 && time.Since(start) > timeout {
			return fmt.Errorf("%w: %w", ErrLocked, describe(err))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(lockPoll):
		}
	}
}

// lockTimeout is how long to wait for the lock; negative means for ever.
func (r *Repo) lockTimeout() (time.Duration, error) {
	seconds := defaultLockTimeout
	if text, ok := r.config.Get("core", "lock-timeout-secs"); ok {
		var err error
		if seconds, err = strconv.Atoi(text); err != nil {
			return 0, fmt.Errorf("core.lock-timeout-secs: %w", err)
		}
	}
	return time.Duration(min(seconds, maxLockTimeout)) * time.Second, nil
}

// Files are those that hold the lock, as long as one process has them open.
func (l *Lock) Files() []*os.File {
	if l == nil {
		return nil
	}
	return l.files
}

// Close gives the lock back. Closing a nil Lock does nothing.
func (l *Lock) Close() error {
	if l == nil {
		return nil
	}
	var errs []error
	for _, file := range l.files {
		errs = append(errs, file.Close())
	}
	return errors.Join(errs...)
}

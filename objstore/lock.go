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

// What an error of [Repo.LockShared] or [Repo.LockExclusive] is when somebody
// else holds the lock, in ostree's words.
var (
	ErrLocked = errors.New("Locking repo shared failed")
	ErrInUse  = errors.New("Locking repo exclusive failed")
)

// Lock is a lock of a repository, and perhaps of its parents, held until it is
// closed or the process ends.
type Lock struct {
	own     *os.File // nil when the repository itself is not locked
	parents []*os.File
}

// LockShared takes the lock that `ostree prune` and other deleters wait for, the
// way ostree does: an open file description lock on REPO/.lock, for which it
// waits as long as core.lock-timeout-secs says. Repositories that can't be
// written, or that say core.locking=false, are not locked; when none is, the
// Lock is nil, and so is the error. Where objects can be written and only the
// lock file can't, others may be at work: that is an error.
func (r *Repo) LockShared(ctx context.Context) (*Lock, error) {
	l := &Lock{}
	for repo := r; repo != nil; repo = repo.parent {
		file, err := repo.lockFile()
		if err == nil && file != nil {
			l.add(file, repo == r)
			err = repo.waitLock(ctx, file, &unix.Flock_t{Type: unix.F_RDLCK}, ErrLocked)
		}
		if err != nil {
			return nil, errors.Join(err, l.Close())
		}
	}
	return l.orNil(), nil
}

// LockExclusive takes the lock of who deletes from this repository, and not from
// its parents. It keeps out and waits for everybody whom ostree's exclusive lock
// does, but for holders of a lease: see [Lock.Lease]. When and how long it waits,
// and when there is no Lock, is as for [Repo.LockShared].
func (r *Repo) LockExclusive(ctx context.Context) (*Lock, error) {
	file, err := r.lockFile()
	if file == nil {
		return nil, err
	}
	l := &Lock{own: file}
	below := &unix.Flock_t{Type: unix.F_WRLCK, Len: leaseBase}
	if err := r.waitLock(ctx, file, below, ErrInUse); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// add takes a file over, which it is to close.
func (l *Lock) add(file *os.File, own bool) {
	if own {
		l.own = file
		return
	}
	l.parents = append(l.parents, file)
}

// orNil is l, or nil when it locks nothing.
func (l *Lock) orNil() *Lock {
	if l.own == nil && l.parents == nil {
		return nil
	}
	return l
}

// lockFile opens the repository's lock file; nil when it is not to be locked.
func (r *Repo) lockFile() (*os.File, error) {
	if locking, err := r.config.Bool("core", "locking", true); err != nil || !locking {
		return nil, err
	}
	fd, err := unix.Openat(int(r.dir.Fd()), ".lock", unix.O_RDWR|unix.O_CREAT|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0o660)
	if err == nil {
		return os.NewFile(uintptr(fd), ".lock"), nil
	}
	denied := errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM)
	if errors.Is(err, unix.EROFS) || denied && r.CheckWritable() != nil {
		return nil, nil
	}
	return nil, fmt.Errorf("Opening lock file %s/.lock failed: %w", r.path, describe(err))
}

// waitLock takes a lock on a part of file. When it can't be had in time, the
// error is failed.
func (r *Repo) waitLock(ctx context.Context, file *os.File, part *unix.Flock_t, failed error) error {
	timeout, err := r.lockTimeout()
	if err != nil {
		return err
	}
	for start := time.Now(); ; {
		err := unix.FcntlFlock(file.Fd(), unix.F_OFD_SETLK, part)
		if err == nil {
			return nil
		}
		held := errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES)
		if !held || timeout >= 0 && time.Since(start) > timeout {
			return fmt.Errorf("%w: %w", failed, describe(err))
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
			return 0, fmt.Errorf("core.lock-timeout-secs: %.100q is not a number of seconds", text)
		}
	}
	return time.Duration(min(seconds, maxLockTimeout)) * time.Second, nil
}

// Files are those that hold the lock, as long as one process has them open.
func (l *Lock) Files() []*os.File {
	switch {
	case l == nil:
		return nil
	case l.own == nil:
		return l.parents
	}
	return append([]*os.File{l.own}, l.parents...)
}

// Close gives the lock back. Closing a nil Lock does nothing.
func (l *Lock) Close() error {
	var errs []error
	for _, file := range l.Files() {
		errs = append(errs, file.Close())
	}
	return errors.Join(errs...)
}

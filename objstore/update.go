package objstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Update is a lock of who reads something small of a repository and replaces it by
// something that depends on it: a ref, the config. It is held for moments, and may be
// taken by who has locked the repository, not the other way round.
type Update struct {
	repo *Repo
	lock *os.File // nil where nothing can be locked
}

const updatePoll = time.Millisecond // before the second try

// BeginUpdate waits for its turn, as long as core.lock-timeout-secs says. The lock is
// one on the repository's directory, as flock(2) makes it: on the lock file everybody
// who writes has a shared lock, of all its bytes. Ostree does not know of it.
func (r *Repo) BeginUpdate(ctx context.Context) (*Update, error) {
	u := &Update{repo: r}
	if locking, err := r.config.Bool("core", "locking", true); err != nil || !locking {
		return u, err
	}
	timeout, err := r.lockTimeout()
	if err != nil {
		return nil, err
	}
	if u.lock, err = r.OpenDir("."); err != nil {
		return nil, err
	}
	for start, wait := time.Now(), updatePoll; ; wait = min(2*wait, lockPoll) {
		err := unix.Flock(int(u.lock.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case err == unix.EINTR:
			continue
		case err != unix.EAGAIN:
			return u, nil // it is locked, or the file system knows no such locks
		case timeout >= 0 && time.Since(start) > timeout:
			return nil, errors.Join(fmt.Errorf("%w: refs or config: %w", ErrInUse, describe(err)), u.Close())
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), u.Close())
		case <-time.After(wait):
		}
	}
}

// Close lets the next one begin.
func (u *Update) Close() error {
	if u.lock == nil {
		return nil
	}
	return u.lock.Close()
}

// EditConfig reads the repository's config anew and replaces it by what edit makes
// of it, which is nothing to do when that is the same.
func (u *Update) EditConfig(edit func(data []byte) ([]byte, error)) error {
	data, err := readFileAt(u.repo.dir, "config", maxConfig)
	if err != nil {
		return fmt.Errorf("openat(config): %w", plain(err))
	}
	edited, err := edit(bytes.Clone(data))
	if err != nil || bytes.Equal(edited, data) {
		return err
	}
	return u.repo.WriteConfig(edited)
}

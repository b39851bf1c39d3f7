package objstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"deployfs/objstore/object"
)

const (
	// leaseBase is where leases begin in the lock file, which has no bytes:
	// a lock may be on any, whether or not there are any.
	leaseBase = 1 << 62
	// maxLeases bounds the leases that are listed.
	maxLeases = 1 << 16
)

// LeaseID is what a lease tells of its commit: the first 61 bits of the
// checksum. Two commits that share it are both kept, which does no harm.
type LeaseID uint64

// LeaseOf is the commit's.
func LeaseOf(commit object.Checksum) LeaseID {
	return LeaseID(binary.BigEndian.Uint64(commit[:]) >> 3)
}

// Lease narrows a shared lock to one commit: instead of the whole lock file only
// the byte that stands for the commit stays locked. Ostree's deleters, who lock
// the whole file, wait as before. Ours lock all but the leases, see which commits
// have one, and keep these and what they need. A new lease can't come while they
// are at it, since a lease begins as a shared lock.
//
// Parents stay locked whole: they need not hold the commit that is shown. On a
// file system that can't split a lock, the lock stays as it is, which is safe.
func (l *Lock) Lease(commit object.Checksum) error {
	if l == nil || l.own == nil {
		return nil
	}
	at := leaseBase + int64(LeaseOf(commit))
	for _, part := range []unix.Flock_t{{Start: at + 1}, {Len: at}} {
		part.Type = unix.F_UNLCK
		if err := unix.FcntlFlock(l.own.Fd(), unix.F_OFD_SETLK, &part); err != nil {
			return fmt.Errorf("lease of commit %s: %w", commit, describe(err))
		}
	}
	return nil
}

// Leases lists the leases that others hold on the repository that l locks
// exclusively, each once.
func (l *Lock) Leases() ([]LeaseID, error) {
	if l == nil || l.own == nil {
		return nil, nil
	}
	var list []LeaseID
	type span struct{ start, end int64 } // of bytes, without the end
	const all = leaseBase + 1<<61
	for left := []span{{leaseBase, all}}; len(left) > 0; {
		s := left[len(left)-1]
		left = left[:len(left)-1]
		held, found, err := conflict(l.own, s.start, s.end)
		switch {
		case err != nil:
			return nil, fmt.Errorf("leases: %w", describe(err))
		case !found:
			continue
		case held.Len != 1 || len(list) == maxLeases:
			return nil, fmt.Errorf("%w: %w", ErrInUse, errNoLease)
		}
		list = append(list, LeaseID(held.Start-leaseBase))
		for _, rest := range []span{{s.start, held.Start}, {held.Start + 1, s.end}} {
			if rest.start < rest.end {
				left = append(left, rest)
			}
		}
	}
	return list, nil
}

// errNoLease tells of a lock that neither ostree nor deployfs takes.
var errNoLease = errors.New("the lock file has a lock that is no lease")

// conflict finds a lock of somebody else's on the bytes from start to end.
func conflict(file *os.File, start, end int64) (unix.Flock_t, bool, error) {
	lock := unix.Flock_t{Type: unix.F_WRLCK, Start: start, Len: end - start}
	err := unix.FcntlFlock(file.Fd(), unix.F_OFD_GETLK, &lock)
	return lock, lock.Type != unix.F_UNLCK, err
}

package objstore

import (
	"errors"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"deployfs/objstore/object"
)

// TestLease: a lease keeps ostree's deleters out, lets ours in, and is listed.
func TestLease(t *testing.T) {
	b := build(t, "bare", "lock-timeout-secs=0")
	r := b.open()
	commits := []object.Checksum{{}, {1}, {7, 6, 5, 4, 3, 2, 1, 8}, {255, 255, 255, 255, 255, 255, 255, 255, 255}}
	var locks []*Lock
	for _, sum := range append(commits, commits[1]) {
		lock, err := r.LockShared(t.Context())
		b.check(err)
		if _, err := r.LockExclusive(t.Context()); !errors.Is(err, ErrInUse) {
			t.Errorf("beside a shared lock: %v", err)
		}
		b.check(lock.Lease(sum))
		locks = append(locks, lock)
		if _, ok := b.exclude(); ok {
			t.Error("ostree's deleters are not kept out")
		}
		deleter, err := r.LockExclusive(t.Context())
		b.check(err)
		if _, err := r.LockShared(t.Context()); !errors.Is(err, ErrLocked) {
			t.Errorf("a new lock beside a deleter: %v", err)
		}
		b.check(deleter.Close())
	}
	deleter, err := r.LockExclusive(t.Context())
	b.check(err)
	defer deleter.Close()
	for n := len(locks); ; n-- {
		want := []LeaseID{}
		for _, sum := range commits[:min(n, len(commits))] {
			want = append(want, LeaseOf(sum))
		}
		list, err := deleter.Leases()
		slices.Sort(list)
		slices.Sort(want)
		if err != nil || !slices.Equal(list, want) {
			t.Errorf("%d leases: %v, %v, want %v", n, list, err, want)
		}
		if n == 0 {
			return
		}
		b.check(locks[n-1].Close())
	}
}

// TestLeaseNothing: what is not locked has no lease.
func TestLeaseNothing(t *testing.T) {
	var l *Lock
	list, err := l.Leases()
	if err != nil || list != nil || l.Lease(object.Checksum{}) != nil {
		t.Error(list, err)
	}
}

// TestLeaseParents: only the repository itself is left to deleters.
func TestLeaseParents(t *testing.T) {
	parent := build(t, "bare", "lock-timeout-secs=0")
	child := build(t, "bare", "lock-timeout-secs=0", "parent="+parent.path)
	lock, err := child.open().LockShared(t.Context())
	child.check(err)
	defer lock.Close()
	child.check(lock.Lease(object.Checksum{1}))
	if l, err := child.open().LockExclusive(t.Context()); err != nil {
		t.Errorf("child: %v", err)
	} else {
		l.Close()
	}
	if _, err := parent.open().LockExclusive(t.Context()); !errors.Is(err, ErrInUse) {
		t.Errorf("parent: %v", err)
	}
}

// TestForeignLock: a lock among the leases that is none is a reason to stop.
func TestForeignLock(t *testing.T) {
	b := build(t, "bare", "lock-timeout-secs=0")
	r := b.open()
	other, err := r.lockFile()
	b.check(err)
	defer other.Close()
	b.check(unix.FcntlFlock(other.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{Type: unix.F_RDLCK, Start: leaseBase + 3, Len: 2}))
	deleter, err := r.LockExclusive(t.Context())
	b.check(err)
	defer deleter.Close()
	if list, err := deleter.Leases(); !errors.Is(err, ErrInUse) {
		t.Errorf("%v, %v", list, err)
	}
}

package objstore

import (
	"context"
	"errors"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// exclude takes the repository's lock as a deleter does; false when it is held.
// The lock is given back when the file is closed.
func (b *builder) exclude() (*os.File, bool) {
	b.t.Helper()
	f, err := os.OpenFile(b.file(".lock"), os.O_RDWR|os.O_CREATE, 0o660)
	b.check(err)
	b.t.Cleanup(func() { f.Close() })
	err = unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{Type: unix.F_WRLCK})
	if err == nil {
		return f, true
	}
	if err != unix.EAGAIN && err != unix.EACCES {
		b.t.Fatal(err)
	}
	return f, false
}

func TestLock(t *testing.T) {
	b := build(t, "bare", "lock-timeout-secs=0")
	r := b.open()
	for range 2 {
		lock, err := r.LockShared(t.Context())
		if err != nil || lock == nil {
			t.Fatal(lock, err)
		}
		second, err := r.LockShared(t.Context())
		if err != nil {
			t.Fatalf("a second shared lock: %v", err)
		}
		b.check(second.Close())
		if _, ok := b.exclude(); ok {
			t.Error("a deleter is not kept out")
		}
		b.check(lock.Close())
		deleter, ok := b.exclude()
		if !ok {
			t.Error("the lock is not given back")
		}
		b.check(deleter.Close())
	}
	info, err := os.Stat(b.file(".lock"))
	if err != nil || info.Size() != 0 {
		t.Errorf("the lock file: %v, %v", info, err)
	}
}

// TestLockTimeout: with a timeout of 0 there is one try.
func TestLockTimeout(t *testing.T) {
	b := build(t, "bare", "lock-timeout-secs=0")
	b.exclude()
	start := time.Now()
	_, err := b.open().LockShared(t.Context())
	if err == nil || !strings.EqualFold(err.Error(), "Locking repo shared failed: Resource temporarily unavailable") {
		t.Errorf("locked: %v", err)
	}
	if d := time.Since(start); d > 2*time.Second {
		t.Errorf("took %s", d)
	}
}

// TestLockWaits until the deleter is done.
func TestLockWaits(t *testing.T) {
	for _, timeout := range []string{"-1", "60"} {
		b := build(t, "bare", "lock-timeout-secs="+timeout)
		deleter, _ := b.exclude()
		time.AfterFunc(150*time.Millisecond, func() { deleter.Close() })
		start := time.Now()
		lock, err := b.open().LockShared(t.Context())
		if err != nil || time.Since(start) < 100*time.Millisecond {
			t.Errorf("timeout %s: %v after %s", timeout, err, time.Since(start))
		}
		b.check(lock.Close())
	}
}

// TestLockCancel: nobody waits longer than its context lives.
func TestLockCancel(t *testing.T) {
	for _, lines := range [][]string{{"lock-timeout-secs=-1"}, nil} {
		b := build(t, "bare", lines...)
		b.exclude()
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		quickly(t, func() {
			if lock, err := b.open().LockShared(ctx); !errors.Is(err, context.DeadlineExceeded) || lock != nil {
				t.Errorf("%v: %v, %v", lines, lock, err)
			}
		})
	}
}

// TestNoLock: some repositories are not to be locked, and a nil Lock can be closed.
func TestNoLock(t *testing.T) {
	b := build(t, "bare", "locking=false", "lock-timeout-secs=0")
	b.exclude()
	lock, err := b.open().LockShared(t.Context())
	if lock != nil || err != nil {
		t.Errorf("locked: %v, %v", lock, err)
	}
	b.check(lock.Close())
}

func TestLockRefuses(t *testing.T) {
	for _, line := range []string{"locking=perhaps", "lock-timeout-secs=soon", "lock-timeout-secs="} {
		if lock, err := build(t, "bare", line).open().LockShared(t.Context()); err == nil {
			t.Errorf("%s: locked", line)
			lock.Close()
		}
	}
	b := build(t, "bare", "lock-timeout-secs=0")
	b.link("/dev/null", ".lock")
	if lock, err := b.open().LockShared(t.Context()); err == nil {
		t.Error("a link is followed")
		lock.Close()
	}
}

// TestLockParents locks the whole chain, or nothing.
func TestLockParents(t *testing.T) {
	parent := build(t, "bare", "lock-timeout-secs=0")
	child := build(t, "bare", "lock-timeout-secs=0", "parent="+parent.path)
	r := child.open()
	lock, err := r.LockShared(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range []*builder{parent, child} {
		if _, ok := b.exclude(); ok {
			t.Errorf("%s is not locked", b.path)
		}
	}
	child.check(lock.Close())
	deleter, _ := parent.exclude()
	if lock, err := r.LockShared(t.Context()); err == nil || lock != nil {
		t.Errorf("locked although the parent is not: %v, %v", lock, err)
	}
	if f, ok := child.exclude(); !ok {
		t.Error("the child stays locked when its parent can't be")
	} else {
		f.Close()
	}
	deleter.Close()
}

// TestLockDenied: who may write objects needs the lock, who may not does without.
func TestLockDenied(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can leave a lock file to others that they can't open")
	}
	b := build(t, "bare")
	b.write(".lock", nil)
	b.check(os.Chmod(b.file(".lock"), 0o600))
	r := b.open()
	for _, writable := range []bool{true, false} {
		perm := os.FileMode(0o755)
		if writable {
			perm = 0o777
		}
		b.check(os.Chmod(b.file("objects"), perm))
		for _, take := range []func(context.Context) (*Lock, error){r.LockShared, r.LockExclusive} {
			var lock *Lock
			var err error
			b.check(asNobody(func() { lock, err = take(t.Context()) }))
			want := "Opening lock file " + b.path + "/.lock failed: Permission denied"
			if lock != nil || writable != (err != nil) || writable && err.Error() != want {
				t.Errorf("objects writable: %v: %v, %v", writable, lock, err)
			}
		}
	}
}

// asNobody runs do in a thread of its own that has no privileges.
func asNobody(do func()) (err error) {
	var done sync.WaitGroup
	done.Go(func() {
		runtime.LockOSThread() // and never unlocked, so that the thread ends
		const nobody = 65534
		if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, nobody, nobody, nobody); errno != 0 {
			err = errno
			return
		}
		do()
	})
	done.Wait()
	return err
}

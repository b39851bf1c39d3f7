package lazy

import (
	"context"
	"encoding/binary"
	"time"

	"golang.org/x/sys/unix"

	"deployfs/objstore/object"
)

// fetchPoll is how often to look whether another process has fetched what this one waits for.
const fetchPoll = 5 * time.Millisecond

// fetching makes this process the only one that fetches an object: it holds the lock of a
// byte of a file that has none. Two objects that share one wait for each other, which does
// no harm. It returns with nothing locked when done says that the object is there, and
// locks nothing where that can't be.
func (c *Cache) fetching(ctx context.Context, name object.Name, done func() bool) (release func(), there bool) {
	at := int64(binary.BigEndian.Uint64(name.Checksum[:])>>8)<<3 + int64(name.Kind)&7
	lock := unix.Flock_t{Type: unix.F_WRLCK, Start: at, Len: 1}
	for {
		// The lock belongs to the descriptor, which all goroutines of this process share:
		// these wait for each other otherwise.
		err := unix.FcntlFlock(c.locks.Fd(), unix.F_OFD_SETLK, &lock)
		if done() {
			if err == nil {
				c.unlock(at)
			}
			return nil, true
		}
		switch {
		case err == nil:
			return func() { c.unlock(at) }, false
		case err != unix.EAGAIN && err != unix.EACCES:
			return func() {}, false
		}
		select {
		case <-ctx.Done():
			return func() {}, false // whoever has it is no faster
		case <-time.After(fetchPoll):
		}
	}
}

func (c *Cache) unlock(at int64) {
	lock := unix.Flock_t{Type: unix.F_UNLCK, Start: at, Len: 1}
	unix.FcntlFlock(c.locks.Fd(), unix.F_OFD_SETLK, &lock)
}

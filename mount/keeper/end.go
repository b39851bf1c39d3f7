package keeper

import (
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"deployfs/mount"
)

// wakeUp makes the pipe that ends the mount, and returns what writes to it.
func (k *keeper) wakeUp() func() {
	read, write, err := os.Pipe()
	if err != nil {
		k.say("%v", err)
		read, write = k.null, k.null
	}
	k.wake = read
	return func() { write.Close() }
}

// endMount begins the end: the mount is taken away. Whoever still has files open
// after endTime gets ENOTCONN.
func (k *keeper) endMount() {
	if !k.deadline.IsZero() {
		return
	}
	k.deadline = time.Now().Add(endTime)
	k.manager("STOPPING=1")
	if k.tell != nil { // it has not come to be
		k.server.process.Signal(unix.SIGTERM)
		return
	}
	k.takeAway()
	if k.server == nil {
		k.gone = true
	}
}

// takeAway unmounts what is at the mountpoint, if it is ours, also when somebody
// still uses it.
func (k *keeper) takeAway() {
	if !k.mine() {
		return
	}
	err := mount.Unmount(k.Place.Mountpoint, false)
	if errors.Is(err, mount.ErrBusy) {
		err = mount.Unmount(k.Place.Mountpoint, true)
	}
	if err != nil {
		k.say("%v", err)
	}
}

// mine reports whether what is mounted at the mountpoint is this keeper's: not
// what somebody else mounted over it, or after it. Device numbers are used
// again, but not before the connection has ended; if it has and something is
// there, it is ours only when it was aborted, and dead.
func (k *keeper) mine() bool {
	if k.Place.Mountpoint == "" {
		return false
	}
	entry, err := mount.Lookup(k.Place.Mountpoint)
	if err != nil || entry.Dev.String() != k.Place.Device {
		return false
	}
	var st unix.Statfs_t
	return !k.gone || unix.Statfs(k.Place.Mountpoint, &st) == unix.ENOTCONN
}

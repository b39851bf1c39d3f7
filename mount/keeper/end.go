package keeper

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"deployfs/mount"
)

// endMount begins the end: the mount is taken away. Whoever still has files open
// after endTime gets ENOTCONN.
func (k *keeper) endMount() {
	if k.ending() {
		return
	}
	k.deadline = time.Now().Add(endTime)
	k.manager("STOPPING=1")
	switch {
	case k.server == nil:
		k.takeAway()
		k.ended = true
	case k.tell != nil: // it has not come to be: served and died see to it
		k.server.process.Signal(unix.SIGTERM)
	default:
		k.takeAway()
	}
}

// takeAway unmounts what is at the mountpoint, if it is ours, also when somebody
// still uses it.
func (k *keeper) takeAway() {
	if !k.mine() {
		return
	}
	path := string(k.Place.Mountpoint)
	err := mount.Unmount(path, false)
	if errors.Is(err, mount.ErrBusy) {
		err = mount.Unmount(path, true)
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
	if len(k.Place.Mountpoint) == 0 {
		return false
	}
	entry, err := mount.Lookup(string(k.Place.Mountpoint))
	if err != nil || entry.Dev.String() != k.Place.Device {
		return false
	}
	k.lookWhetherGone()
	var st unix.Statfs_t
	return !k.gone || unix.Statfs(string(k.Place.Mountpoint), &st) == unix.ENOTCONN
}

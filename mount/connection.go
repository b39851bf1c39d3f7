package mount

import (
	"errors"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// connectionDir is where fusectl shows the FUSE connections of the whole
// machine.
const connectionDir = "/sys/fs/fuse/connections"

// fusectlMagic is the type of a fusectl filesystem in statfs(2).
const fusectlMagic = 0x65735543

var (
	errNoFusectl    = errors.New("fusectl is not mounted")
	errNoConnection = errors.New("no such fuse connection")
)

// AbortFUSE ends a FUSE connection by force: whoever waits for its server gets
// an error, and the mount is dead. It frees a mount whose server hangs, and
// needs to be the user who mounted, or root. The number must come from
// Entry.Connection of one's own mount: the numbers of all mount namespaces
// stand in one list, are used anew after the mounts have ended, and the kernel
// aborts any of them without a question.
func AbortFUSE(number uint32) error {
	dir := connectionDir + "/" + strconv.FormatUint(uint64(number), 10)
	if !fusectlMounted() {
		return &Error{Op: "abort", Path: dir, Err: errNoFusectl, Remedy: "mount it with `mount -t fusectl fusectl " + connectionDir + "`"}
	}
	err := os.WriteFile(dir+"/abort", []byte("1"), 0)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return &Error{Op: "abort", Path: dir, Err: errNoConnection}
	case err != nil:
		return &Error{Op: "abort", Path: dir, Err: reason(err)}
	}
	return nil
}

func fusectlMounted() bool {
	var st unix.Statfs_t
	return unix.Statfs(connectionDir, &st) == nil && st.Type == fusectlMagic
}

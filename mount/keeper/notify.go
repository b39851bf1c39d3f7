package keeper

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// notify tells the service manager about this process, when there is one that
// waits for it: see sd_notify(3). The files are for its descriptor store.
func notify(state string, files ...*os.File) error {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return nil
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("service manager: %w", err)
	}
	defer unix.Close(fd)
	var rights []byte
	if len(files) > 0 {
		fds := make([]int, len(files))
		for i, f := range files {
			fds[i] = int(f.Fd())
		}
		rights = unix.UnixRights(fds...)
	}
	to := &unix.SockaddrUnix{Name: path} // a leading @ is the abstract namespace
	if err := unix.Sendmsg(fd, []byte(state), rights, to, unix.MSG_NOSIGNAL); err != nil {
		return fmt.Errorf("service manager: %w", err)
	}
	return nil
}

// manager tells the service manager about a keeper in the foreground, which is
// not worth failing for.
func (k *keeper) manager(state string, files ...*os.File) {
	if !k.Foreground {
		return
	}
	if err := notify(state, files...); err != nil {
		k.say("%v", err)
	}
}

package backing

import (
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// create makes a file for content of the promised size, which vanishes unless
// it gets a name. Where that does not fit the error is an errNoRoom.
func (in *Inflated) create(size int64) (fd int, err error) {
	dir := os.TempDir()
	usage := in.shared()
	if usage != nil {
		dir = in.contentDir()
	}
	fd, err = nameless(dir)
	if err == unix.ENOENT && usage != nil {
		in.renew()
		in.shared()
		fd, err = nameless(dir)
	}
	if err != nil {
		return -1, fmt.Errorf("%w: file in %s: %w", errNoRoom, dir, err)
	}
	if err := fits(fd, size); err != nil {
		unix.Close(fd)
		if size <= in.limit {
			in.full()
		}
		return -1, fmt.Errorf("%w: %s: %w", errNoRoom, dir, err)
	}
	return fd, nil
}

// nameless makes a file in dir that has no name.
func nameless(dir string) (fd int, err error) {
	fd, err = unix.Open(dir, unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o400)
	if err != unix.EOPNOTSUPP && err != unix.EISDIR {
		return fd, err
	}
	f, err := os.CreateTemp(dir, ".inflated-")
	if err != nil {
		return -1, err
	}
	defer f.Close()
	if err := os.Remove(f.Name()); err != nil {
		return -1, err
	}
	return unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
}

// fits fails unless size bytes can be written to fd's filesystem, and a twentieth
// of what is free there stays free.
func fits(fd int, size int64) error {
	var st unix.Statfs_t
	if err := unix.Fstatfs(fd, &st); err != nil {
		return err
	}
	if free := int64(st.Bavail) * st.Bsize; size > free-free/20 {
		return fmt.Errorf("%d bytes are needed, %d are free: %w", size, free, unix.ENOSPC)
	}
	return nil
}

func descriptorPath(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }

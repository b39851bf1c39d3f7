package mount

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Unmount takes away the topmost mount at path, of whatever type. A mount in
// use is refused with ErrBusy, unless lazy is set: then it disappears from the
// tree at once and ends when its last user does. Where nothing is mounted the
// error is ErrNotMounted.
func Unmount(path string, lazy bool) error {
	target, err := canonical(path)
	if err != nil {
		return &Error{Op: "unmount", Path: path, Err: err}
	}
	flags := unix.UMOUNT_NOFOLLOW
	if lazy {
		flags |= unix.MNT_DETACH
	}
	switch err := unix.Unmount(target, flags); err {
	case nil:
		return nil
	case unix.EPERM:
		return helperUnmount(target, lazy)
	case unix.EBUSY:
		return busy(target)
	case unix.EINVAL:
		return notMounted(target)
	default:
		return &Error{Op: "unmount", Path: target, Err: err}
	}
}

// helperUnmount is Unmount through fusermount3. What fusermount3 says about a
// directory that it does not find in the table is no help, hence the look
// before.
func helperUnmount(target string, lazy bool) error {
	if table, err := Table(); err == nil {
		if _, ok := At(table, target); !ok {
			return notMounted(target)
		}
	}
	args := []string{"-u"}
	if lazy {
		args = append(args, "-z")
	}
	err := runHelper("unmount", target, nil, args...)
	if errors.Is(err, unix.EBUSY) {
		return busy(target)
	}
	return err
}

func busy(target string) error {
	return &Error{Op: "unmount", Path: target, Err: ErrBusy,
		Remedy: fmt.Sprintf("end what uses it (`fuser -vm %[1]s` names it), or `deployfs umount --lazy %[1]s`", quote(target))}
}

func notMounted(target string) error {
	return &Error{Op: "unmount", Path: target, Err: ErrNotMounted, Remedy: "`deployfs mounts` lists what is mounted"}
}

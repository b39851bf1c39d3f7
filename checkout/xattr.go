package checkout

import (
	"fmt"

	"golang.org/x/sys/unix"

	"deployfs/objstore/object"
)

// setXattrs sets the xattrs of an open file.
func setXattrs(fd int, list []object.Xattr) error {
	for _, x := range list {
		if err := unix.Fsetxattr(fd, x.Name, x.Value, 0); err != nil {
			return failed("Setting xattrs: fsetxattr("+x.Name+")", err)
		}
	}
	return nil
}

// setXattrsAt sets the xattrs of what has a name in a directory, also of a symbolic link.
func setXattrsAt(dir int, name string, list []object.Xattr) error {
	for _, x := range list {
		// the system call that takes a directory is younger than many kernels
		if err := unix.Lsetxattr(fmt.Sprintf("/proc/self/fd/%d/%s", dir, name), x.Name, x.Value, 0); err != nil {
			return failed("Setting xattrs: lsetxattr("+x.Name+")", err)
		}
	}
	return nil
}

package session

import (
	"fmt"
	"unsafe"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// FUSE_DEV_IOC_BACKING_OPEN and FUSE_DEV_IOC_BACKING_CLOSE, since Linux 6.9.
const (
	backingOpen  = 0x4010e501
	backingClose = 0x4004e502
)

// Connection is the descriptor of a FUSE connection. Whoever registers files
// there needs CAP_SYS_ADMIN.
type Connection int

// Register gives the kernel a file that it then reads by itself, and returns
// the number by which an OPEN's answer names it.
func (c Connection) Register(fd int) (number int32, err error) {
	file := gofuse.BackingMap{Fd: int32(fd)}
	id, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(c), backingOpen, uintptr(unsafe.Pointer(&file)))
	if errno != 0 {
		return 0, fmt.Errorf("registering a backing file: %w", errno)
	}
	return int32(id), nil
}

// Unregister takes the file back from the kernel, once nobody has it open.
func (c Connection) Unregister(number int32) {
	unix.Syscall(unix.SYS_IOCTL, uintptr(c), backingClose, uintptr(unsafe.Pointer(&number)))
}

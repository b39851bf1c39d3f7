package confine

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// dropCapabilities leaves those in keep in the effective and the permitted set,
// as far as they are there; nothing in the inheritable and the ambient one. The
// bounding set stays, since a program that is run gains nothing from it under
// no_new_privs.
func dropCapabilities(keep []int) error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var sets [2]unix.CapUserData // of 32 capabilities each
	if err := unix.Capget(&header, &sets[0]); err != nil {
		return err
	}
	if err := everyThread(unix.SYS_PRCTL, unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0); err != nil {
		return fmt.Errorf("ambient set: %w", err)
	}
	var kept [2]uint32
	for _, c := range keep {
		kept[c/32] |= 1 << (c % 32)
	}
	for i := range sets {
		left := sets[i].Permitted & kept[i]
		sets[i] = unix.CapUserData{Effective: left, Permitted: left}
	}
	return everyThread(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&sets)), 0)
}

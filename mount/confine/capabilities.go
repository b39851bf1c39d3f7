package confine

import (
	"fmt"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
)

// dropCapabilities leaves those in keep in the effective and the permitted set,
// as far as they are there, and in the bounding set; nothing in the inheritable
// and the ambient one. So a child of root has them too, and no others.
func dropCapabilities(keep []int) error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var sets [2]unix.CapUserData // of 32 capabilities each
	if err := unix.Capget(&header, &sets[0]); err != nil {
		return err
	}
	if has(&sets, unix.CAP_SETPCAP) { // the others have nothing to be bounded
		if err := dropBounding(keep); err != nil {
			return err
		}
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

func has(sets *[2]unix.CapUserData, c int) bool { return sets[c/32].Effective&(1<<(c%32)) != 0 }

// dropBounding drops every capability that the kernel knows, but those in keep.
func dropBounding(keep []int) error {
	for c := 0; ; c++ {
		there, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, uintptr(c), 0, 0, 0)
		if err == unix.EINVAL {
			return nil // there are no more
		}
		if err == nil && there == 1 && !slices.Contains(keep, c) {
			err = everyThread(unix.SYS_PRCTL, unix.PR_CAPBSET_DROP, uintptr(c), 0)
		}
		if err != nil {
			return fmt.Errorf("bounding set without capability %d: %w", c, err)
		}
	}
}

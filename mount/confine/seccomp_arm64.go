package confine

import "golang.org/x/sys/unix"

const (
	arch    = unix.AUDIT_ARCH_AARCH64
	foreign = 1 << 30 // no call has such a number
)

var nativeDenied []uint32

// Package scratch gives large tables for a while. They lie outside of the heap, so that what is given
// back is free at once, and the heap does not grow by as much again before it is swept.
package scratch

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// small is up to how many numbers a table is of the heap.
const small = 1 << 14

// Int32s returns n zeros, and what gives them back; they must not be touched afterwards.
func Int32s(n int) (table []int32, free func()) {
	if n <= small {
		return make([]int32, n), func() {}
	}
	data, err := unix.Mmap(-1, 0, 4*n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return make([]int32, n), func() {}
	}
	_ = unix.Madvise(data, unix.MADV_HUGEPAGE) // tables are looked at all over the place
	return unsafe.Slice((*int32)(unsafe.Pointer(unsafe.SliceData(data))), n), func() { unix.Munmap(data) }
}

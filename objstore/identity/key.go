package identity

import (
	"encoding/binary"
	"time"

	"golang.org/x/sys/unix"

	"deployfs/objstore/object"
)

// settled is how much older than its hashing a change must be to be trusted. Clocks of file systems
// are as coarse as two seconds.
const settled = 3 * time.Second

// Key is a file as the kernel knows it, and in what way it is hashed.
type Key [keySize]byte

const (
	keySize    = 6 * 8
	recordSize = keySize + len(object.Checksum{})
)

// KeyOf is the key of a file. Variant tells apart checksums of the same file that were made by
// different rules.
func KeyOf(st *unix.Stat_t, variant uint64) (k Key) {
	for i, n := range [...]uint64{
		st.Dev, st.Ino, uint64(st.Size), nanoseconds(st.Mtim), nanoseconds(st.Ctim), variant,
	} {
		binary.BigEndian.PutUint64(k[i*8:], n)
	}
	return k
}

func nanoseconds(t unix.Timespec) uint64 { return uint64(t.Nano()) }

// Trusted reports whether a file that was hashed from some time on, and had st before and after, may
// be remembered, apart from what its file system is.
func Trusted(st *unix.Stat_t, hashed time.Time) bool {
	return st.Ctim.Nsec != 0 && time.Unix(st.Ctim.Unix()).Add(settled).Before(hashed)
}

// keepsCtime are the file systems whose ctimes are the kernel's own.
var keepsCtime = map[int64]bool{
	unix.EXT4_SUPER_MAGIC: true, unix.XFS_SUPER_MAGIC: true, unix.BTRFS_SUPER_MAGIC: true, unix.F2FS_SUPER_MAGIC: true,
	unix.OVERLAYFS_SUPER_MAGIC: true, unix.TMPFS_MAGIC: true,
	0xca451a4e: true, // bcachefs
	0x2fc12fc1: true, // ZFS
}

// KeepsCtime reports whether the ctimes of the file system that path lies on are to be trusted.
func KeepsCtime(path string) bool {
	var st unix.Statfs_t
	return unix.Statfs(path, &st) == nil && keepsCtime[int64(st.Type)]
}

package objstore

import (
	"testing"

	"golang.org/x/sys/unix"
)

// TestErrnoText: every errno has the C library's text.
func TestErrnoText(t *testing.T) {
	for errno, want := range map[unix.Errno]string{
		unix.ENOENT: "No such file or directory", unix.EROFS: "Read-only file system", unix.ENOSPC: "No space left on device",
		unix.EEXIST: "File exists", unix.EDQUOT: "Disk quota exceeded", unix.EBUSY: "Device or resource busy",
		unix.EXDEV: "Invalid cross-device link", unix.EIO: "Input/output error", unix.EOPNOTSUPP: "Operation not supported",
	} {
		if got := describe(errno); got.Error() != want {
			t.Errorf("%v, want %s", got, want)
		}
	}
}

package mount

import (
	"os"
	"strconv"
)

// SetReadAhead makes the kernel read up to kib KiB ahead on the filesystem with
// that device number, as Entry.Dev has it. FUSE servers cannot ask for more
// than 128 KiB themselves. It needs root; a mount works as well without it, only
// slower, so that a caller may ignore the error.
func SetReadAhead(dev Dev, kib int) error {
	file := "/sys/class/bdi/" + dev.String() + "/read_ahead_kb"
	// Not os.WriteFile: there must be no attempt to create the file.
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err != nil {
		return &Error{Op: "set read-ahead", Path: file, Err: reason(err)}
	}
	defer f.Close()
	if _, err := f.WriteString(strconv.Itoa(kib)); err != nil {
		return &Error{Op: "set read-ahead", Path: file, Err: reason(err)}
	}
	return nil
}

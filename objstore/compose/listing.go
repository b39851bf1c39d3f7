package compose

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
)

// listed is a name in a directory.
type listed struct {
	name string
	dir  bool
}

// openDir opens a directory, itself and not what a link points to.
func openDir(at int, name string) (*os.File, error) {
	fd, err := unix.Openat(at, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, failure("opendir", name, err)
	}
	return os.NewFile(uintptr(fd), name), nil
}

// failure is the error of a system call, in ostree's words.
func failure(call, name string, err error) error {
	return &callError{call, name, err}
}

type callError struct {
	call, name string
	err        error
}

func (e *callError) Error() string {
	text := e.err.Error()
	if errno, ok := e.err.(unix.Errno); ok {
		text = objstore.ErrnoText(errno)
	}
	return fmt.Sprintf("%s(%s): %s", e.call, e.name, text)
}

func (e *callError) Unwrap() error { return e.err }

// list lists a directory, sorted.
func list(dir *os.File) ([]listed, error) {
	var all []listed
	buf := make([]byte, 32<<10)
	for {
		n, err := unix.Getdents(int(dir.Fd()), buf)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return nil, failure("getdents64", dir.Name(), err)
		}
		if n == 0 {
			break
		}
		if all, err = appendListed(all, buf[:n], dir); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(all, func(a, b listed) int { return strings.Compare(a.name, b.name) })
	return all, nil
}

// Where things stand in the kernel's struct linux_dirent64.
const (
	direntLength = 16
	direntType   = 18
	direntName   = 19
)

func appendListed(all []listed, records []byte, dir *os.File) ([]listed, error) {
	for len(records) > direntName {
		length := int(binary.NativeEndian.Uint16(records[direntLength:]))
		record := records[:length]
		records = records[length:]
		name, _, _ := bytes.Cut(record[direntName:], []byte{0})
		if string(name) == "." || string(name) == ".." {
			continue
		}
		entry := listed{string(name), record[direntType] == unix.DT_DIR}
		if record[direntType] == unix.DT_UNKNOWN {
			var st unix.Stat_t
			if err := unix.Fstatat(int(dir.Fd()), entry.name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
				return nil, failure("fstatat", entry.name, err)
			}
			entry.dir = st.Mode&unix.S_IFMT == unix.S_IFDIR
		}
		all = append(all, entry)
	}
	return all, nil
}

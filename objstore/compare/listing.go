package compare

import (
	"bytes"
	"encoding/binary"
	"os"

	"golang.org/x/sys/unix"
)

// chunk is how many names GLib takes from a directory before it sorts them.
const chunk = 1000

// dirent is a name as the kernel lists it.
type dirent struct {
	inode uint64
	name  string
}

// listed is the names in a directory in the order in which GLib gives them: a thousand at a time, as
// the kernel lists them, each thousand sorted by inode.
func listed(path string) ([]string, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_DIRECTORY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, openDirError(path, err)
	}
	defer f.Close()
	entries, err := readAll(f)
	if err != nil {
		return nil, openDirError(path, err)
	}
	names := make([]string, 0, len(entries))
	for len(entries) > 0 {
		n := min(chunk, len(entries))
		for _, e := range byInode(entries[:n]) {
			names = append(names, e.name)
		}
		entries = entries[n:]
	}
	return names, nil
}

// byInode sorts as the C library's merge sort does with GLib's comparison, which looks at the lower
// half of a difference: for numbers that are far apart it contradicts itself, and the order depends
// on who is compared with whom.
func byInode(list []dirent) []dirent {
	if len(list) < 2 {
		return list
	}
	half := len(list) / 2
	a, b := byInode(list[:half]), byInode(list[half:])
	merged := make([]dirent, 0, len(list))
	for len(a) > 0 && len(b) > 0 {
		if int32(a[0].inode-b[0].inode) <= 0 {
			merged, a = append(merged, a[0]), a[1:]
		} else {
			merged, b = append(merged, b[0]), b[1:]
		}
	}
	return append(append(merged, a...), b...)
}

// readAll lists a directory as the kernel does, without "." and "..".
func readAll(f *os.File) (list []dirent, err error) {
	buf := make([]byte, 64<<10)
	for {
		n, err := unix.Getdents(int(f.Fd()), buf)
		if err == unix.EINTR {
			continue
		}
		if err != nil || n <= 0 {
			return list, err
		}
		list = append(list, parse(buf[:n])...)
	}
}

// parse reads a buffer of struct linux_dirent64.
func parse(buf []byte) (list []dirent) {
	const nameAt = 19
	for len(buf) > nameAt {
		length := int(binary.NativeEndian.Uint16(buf[16:]))
		if length <= nameAt || length > len(buf) {
			break
		}
		name, _, _ := bytes.Cut(buf[nameAt:length], []byte{0})
		if text := string(name); text != "." && text != ".." {
			list = append(list, dirent{binary.NativeEndian.Uint64(buf), text})
		}
		buf = buf[length:]
	}
	return list
}

package index

import (
	"fmt"
	"math"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// openFlags never follow a link, and never wait.
const openFlags = unix.O_RDONLY | unix.O_NOFOLLOW | unix.O_CLOEXEC | unix.O_NONBLOCK

// folder is a directory of indexes that nobody but its owner, the user or root,
// can write to.
type folder struct {
	*os.File
	mine bool   // it can be written
	perm uint32 // of files in it
}

// openFolder opens, or makes, the directory whose path is parts below base. Each
// part must be trusted; the first to be made takes base's permissions, without
// what lets others write, and only in a base that is the user's.
func openFolder(base string, parts ...string) (*folder, error) {
	fd, err := unix.Open(base, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	dir := os.NewFile(uintptr(fd), base)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		dir.Close()
		return nil, err
	}
	perm, mine := st.Mode&0o755, int(st.Uid) == os.Geteuid()
	for _, part := range parts {
		next, err := openPart(dir, part, perm, mine)
		dir.Close()
		if err != nil {
			return nil, err
		}
		dir = next
	}
	if err := unix.Fstat(int(dir.Fd()), &st); err != nil {
		dir.Close()
		return nil, err
	}
	mine = int(st.Uid) == os.Geteuid() && unix.Faccessat(int(dir.Fd()), ".", unix.W_OK, unix.AT_EACCESS) == nil
	return &folder{dir, mine, perm & 0o444}, nil
}

func openPart(dir *os.File, part string, perm uint32, make bool) (*os.File, error) {
	if make {
		if err := unix.Mkdirat(int(dir.Fd()), part, perm|0o700); err != nil && err != unix.EEXIST {
			make = false // a read-only filesystem: there may be one all the same
		}
	}
	fd, err := unix.Openat(int(dir.Fd()), part, openFlags|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	next := os.NewFile(uintptr(fd), part)
	if err := trusted(next); err != nil {
		next.Close()
		return nil, err
	}
	return next, nil
}

// trusted fails unless nobody but the user and root could write to f.
func trusted(f *os.File) error {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return err
	}
	if st.Uid != 0 && int(st.Uid) != os.Geteuid() || st.Mode&0o022 != 0 {
		return fmt.Errorf("%s: others can write to it", f.Name())
	}
	return nil
}

// open maps and parses an index. One that is no such thing is removed.
func (f *folder) open(name string) (*Mapped, error) {
	fd, err := unix.Openat(int(f.Fd()), name, openFlags, 0)
	if err != nil {
		return nil, err
	}
	file := os.NewFile(uintptr(fd), name)
	defer file.Close()
	info, err := file.Stat()
	if err == nil {
		err = trusted(file)
	}
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() < headerSize || info.Size() > math.MaxInt32*64 {
		f.remove(name)
		return nil, fmt.Errorf("%s: not an index", name)
	}
	data, err := unix.Mmap(fd, 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, err
	}
	x, err := Parse(data)
	if err != nil {
		unix.Munmap(data)
		f.remove(name)
		return nil, err
	}
	return &Mapped{x, data}, nil
}

// head reads the header of an index.
func (f *folder) head(name string) (head [headerSize]byte, err error) {
	fd, err := unix.Openat(int(f.Fd()), name, openFlags, 0)
	if err != nil {
		return head, err
	}
	defer unix.Close(fd)
	n, err := unix.Pread(fd, head[:], 0)
	if err == nil && (n < headerSize || string(head[:len(magic)]) != magic || le32(head[atVersion:]) != version) {
		err = fmt.Errorf("%s: not an index", name)
	}
	return head, err
}

// put writes a file aside and gives it its name. It is not synced: what a crash
// leaves of it is found out by its checksum.
func (f *folder) put(name string, data []byte) error {
	temp := fmt.Sprintf(".%d-%d.new", os.Getpid(), time.Now().UnixNano())
	fd, err := unix.Openat(int(f.Fd()), temp, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return err
	}
	file := os.NewFile(uintptr(fd), temp)
	_, err = file.Write(data)
	if err == nil {
		err = unix.Fchmod(fd, f.perm)
	}
	if e := file.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = unix.Renameat(int(f.Fd()), temp, int(f.Fd()), name)
	}
	if err != nil {
		f.remove(temp)
	}
	return err
}

func (f *folder) remove(name string) error { return unix.Unlinkat(int(f.Fd()), name, 0) }

// removeOld removes what an interrupted put left behind.
func (f *folder) removeOld(name string) {
	var st unix.Stat_t
	if unix.Fstatat(int(f.Fd()), name, &st, unix.AT_SYMLINK_NOFOLLOW) == nil &&
		strings.HasSuffix(name, ".new") && time.Since(time.Unix(st.Mtim.Unix())) > leftAfter {
		f.remove(name)
	}
}

// names lists what is in the folder.
func (f *folder) names() ([]string, error) {
	fd, err := unix.Openat(int(f.Fd()), ".", openFlags|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	dir := os.NewFile(uintptr(fd), f.Name())
	defer dir.Close()
	return dir.Readdirnames(-1)
}

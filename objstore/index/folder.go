package index

import (
	"fmt"
	"os"
	"runtime/debug"
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
	perm uint32 // of files in it, before permOf
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
	// On a read-only filesystem there may be one all the same.
	made := make && unix.Mkdirat(int(dir.Fd()), part, perm|0o700) == nil
	if made {
		unix.Fchmodat(int(dir.Fd()), part, perm|0o700, 0) // whatever the umask; the directory is ours alone
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

// open maps and parses the index of root. One that is no such thing is removed,
// unless another has been put in its place meanwhile.
func (f *folder) open(root Root, flavour Flavour) (*Mapped, error) {
	name := fileName(root)
	fd, err := unix.Openat(int(f.Fd()), name, openFlags, 0)
	if err != nil {
		if err == unix.ELOOP || err == unix.ENXIO { // a link, a socket
			f.remove(name)
		}
		return nil, err
	}
	file := os.NewFile(uintptr(fd), name)
	defer file.Close()
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, err
	}
	if err := trusted(file); err != nil {
		return nil, err
	}
	m, err := mapFile(fd, &st)
	if err == nil && (m.root != root || m.flavour != flavour) {
		m.Close()
		err = fmt.Errorf("%s: the index of something else", name)
	}
	if err != nil {
		f.removeIf(name, &st)
		return nil, err
	}
	return m, nil
}

func mapFile(fd int, st *unix.Stat_t) (*Mapped, error) {
	if st.Mode&unix.S_IFMT != unix.S_IFREG || st.Size < headerSize || st.Size > maxSize {
		return nil, errNone
	}
	data, err := unix.Mmap(fd, 0, int(st.Size), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, err
	}
	x, err := parseMapped(data)
	if err != nil {
		unix.Munmap(data)
		return nil, err
	}
	unix.Madvise(data, unix.MADV_DONTNEED) // only what is looked at again is to be in memory
	return &Mapped{x, data}, nil
}

// parseMapped is Parse for a file that may be cut meanwhile.
func parseMapped(data []byte) (x *Index, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			if _, ok := fault.(interface{ Addr() uintptr }); !ok {
				panic(fault)
			}
			err = errNone
		}
	}()
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	return Parse(data)
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
		err = errNone
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
		err = unix.Fchmod(fd, f.permOf(data))
	}
	if e := file.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = f.replace(temp, name)
	}
	if err != nil {
		f.remove(temp)
	}
	return err
}

// permOf is what an index may be read by: those who may read the repository,
// or its owner alone when it tells what the repository's files do not tell them.
func (f *folder) permOf(data []byte) uint32 {
	if le32(data[atFlags:])&flagGuarded != 0 {
		return f.perm & 0o400
	}
	return f.perm
}

// replace gives the file temp its name.
func (f *folder) replace(temp, name string) error {
	if f.lock() {
		defer f.unlock()
	}
	err := unix.Renameat(int(f.Fd()), temp, int(f.Fd()), name)
	if err == unix.EISDIR {
		f.remove(name)
		err = unix.Renameat(int(f.Fd()), temp, int(f.Fd()), name)
	}
	return err
}

// lock keeps others from removing what replace puts in place. It does not wait:
// anybody could hold the lock for ever.
func (f *folder) lock() bool {
	return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil
}

func (f *folder) unlock() { unix.Flock(int(f.Fd()), unix.LOCK_UN) }

// remove removes a file, or a directory that is in its place.
func (f *folder) remove(name string) error {
	var st unix.Stat_t
	if err := unix.Fstatat(int(f.Fd()), name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return err // a read-only filesystem would say just that
	}
	err := unix.Unlinkat(int(f.Fd()), name, 0)
	if err == unix.EISDIR {
		err = os.RemoveAll(fmt.Sprintf("/proc/self/fd/%d/%s", f.Fd(), name))
	}
	return err
}

// removeIf removes a file if it is still the one that st tells about.
func (f *folder) removeIf(name string, st *unix.Stat_t) {
	if !f.lock() {
		return // somebody is replacing it
	}
	defer f.unlock()
	var now unix.Stat_t
	if unix.Fstatat(int(f.Fd()), name, &now, unix.AT_SYMLINK_NOFOLLOW) == nil && now.Dev == st.Dev && now.Ino == st.Ino {
		f.remove(name)
	}
}

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

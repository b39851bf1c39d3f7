package index

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
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
// part must be trusted. Parts are made only in a base that is the user's; they
// have the permissions perm, and their owner has all.
func openFolder(base string, perm uint32, parts ...string) (*folder, error) {
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
	mine := int(st.Uid) == os.Geteuid()
	for _, part := range parts {
		next, err := openPart(dir, part, perm|0o700, mine)
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
	return &folder{dir, mine, perm&0o444 | 0o400}, nil
}

func openPart(dir *os.File, part string, perm uint32, make bool) (*os.File, error) {
	// On a read-only filesystem there may be one all the same.
	made := make && unix.Mkdirat(int(dir.Fd()), part, perm) == nil
	if made {
		unix.Fchmodat(int(dir.Fd()), part, perm, 0) // whatever the umask; the directory is ours alone
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

// permissions are for those who may read all that an index can tell: what the
// directories of the repository, of its parents and of their objects all permit.
// Nobody but the owner may write.
func permissions(repo *objstore.Repo) uint32 {
	perm, oneGroup := uint32(0o755), true
	for ; repo != nil; repo = repo.Parent() {
		for _, dir := range []string{repo.Path(), filepath.Join(repo.Path(), "objects")} {
			var st unix.Stat_t
			if err := unix.Stat(dir, &st); err != nil {
				return 0
			}
			perm &= st.Mode
			oneGroup = oneGroup && int(st.Gid) == os.Getegid()
		}
	}
	if !oneGroup { // what is made is of another group, to which either may apply
		both := perm >> 3 & perm & 7
		perm = perm&0o700 | both<<3 | both
	}
	return perm
}

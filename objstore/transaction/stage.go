package transaction

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
)

// stage is a staging directory and the lock that says that it is in use.
type stage struct {
	tmp     *os.File // the repository's directory for what is temporary
	name    string
	dir     *os.File
	lock    *os.File
	resumed bool // it holds what another transaction has staged
}

const (
	stagePrefix = "staging-"
	lockSuffix  = "-lock"
)

// bootID tells this boot from others. $OSTREE_BOOTID stands for it in tests, as
// with ostree.
func bootID() (string, error) {
	if id := os.Getenv("OSTREE_BOOTID"); id != "" {
		return id, nil
	}
	data, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(data)), err
}

// openStage takes over a staging directory that nobody uses, or makes one. With empty,
// nothing that it holds is gone on with.
func openStage(repo *os.File, empty bool) (*stage, error) {
	id, err := bootID()
	if err != nil {
		return nil, err
	}
	if err := unix.Mkdirat(int(repo.Fd()), "tmp", 0o775); err != nil && err != unix.EEXIST {
		return nil, fmt.Errorf("mkdirat(tmp): %w", err)
	}
	tmp, err := openDir(repo, "tmp")
	if err != nil {
		return nil, err
	}
	s, err := findStage(tmp, stagePrefix+id+"-", empty)
	if err == nil && s == nil {
		s, err = newStage(tmp, stagePrefix+id+"-")
	}
	if err != nil {
		tmp.Close()
		return nil, err
	}
	return s, nil
}

// tidy deletes what is of no use for who takes a staging directory over: files in the
// making, and with all the objects, too.
func (s *stage) tidy(all bool) error {
	names, err := readNames(s.dir, ".")
	if err != nil {
		return err
	}
	for _, name := range names {
		if all {
			err = objstore.RemoveAll(int(s.dir.Fd()), name)
		} else if err = unix.Unlinkat(int(s.dir.Fd()), name, 0); err == unix.EISDIR || err == unix.EPERM {
			err = nil // objects
		}
		if err != nil {
			return fmt.Errorf("clearing staging directory: %w", err)
		}
	}
	return nil
}

// findStage takes over a directory that a transaction of this boot has left; nil
// when there is none that can be used.
func findStage(tmp *os.File, prefix string, empty bool) (*stage, error) {
	names, err := readNames(tmp, ".")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if !strings.HasPrefix(name, prefix) || strings.HasSuffix(name, lockSuffix) || isFresh(tmp, name) {
			continue
		}
		s, err := takeStage(tmp, name)
		if s != nil {
			s.resumed = !empty
			if err = s.tidy(empty); err == nil {
				return s, nil
			}
			err = errors.Join(err, s.leave())
		}
		if err != nil && !isStray(err) {
			return nil, err
		}
	}
	return nil, nil
}

// settling is longer than a process needs from making a staging directory to locking it.
const settling = 10 * time.Second

// isFresh reports whether a staging directory may have been made just now by somebody
// who is about to lock it: ostree would not notice that it was taken and is gone. There
// is nothing in it that could be gone on with.
func isFresh(tmp *os.File, name string) bool {
	var st unix.Stat_t
	err := unix.Fstatat(int(tmp.Fd()), name+lockSuffix, &st, unix.AT_SYMLINK_NOFOLLOW)
	if err != unix.ENOENT {
		return false
	}
	err = unix.Fstatat(int(tmp.Fd()), name, &st, unix.AT_SYMLINK_NOFOLLOW)
	if err != nil || time.Since(time.Unix(st.Ctim.Unix())) >= settling {
		return false
	}
	names, err := readNames(tmp, name)
	return err == nil && len(names) == 0
}

// isStray reports whether an error comes from something in tmp that does not belong
// there, or belongs to another user. It is in nobody's way.
func isStray(err error) bool {
	for _, stray := range []error{unix.ENOTDIR, unix.EISDIR, unix.ELOOP, unix.ENXIO, unix.EACCES, unix.EPERM} {
		if errors.Is(err, stray) {
			return true
		}
	}
	return false
}

func newStage(tmp *os.File, prefix string) (*stage, error) {
	for {
		name := prefix + rand.Text()[:6]
		err := unix.Mkdirat(int(tmp.Fd()), name, 0o775)
		if err == unix.EEXIST {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("mkdirat(%s): %w", name, err)
		}
		if s, err := takeStage(tmp, name); s != nil || err != nil {
			return s, err
		}
	}
}

// takeStage locks a staging directory; nil when somebody else has it.
func takeStage(tmp *os.File, name string) (*stage, error) {
	lock, err := tryLock(tmp, name+lockSuffix)
	if lock == nil {
		return nil, err
	}
	dir, err := openDir(tmp, name)
	if err != nil { // it went before it was locked
		unlock(tmp, name+lockSuffix, lock)
		if errors.Is(err, unix.ENOENT) {
			err = nil
		}
		return nil, err
	}
	return &stage{tmp: tmp, name: name, dir: dir, lock: lock}, nil
}

// tryLock locks a lock file, which it makes; nil when somebody else has it. The
// file may have been deleted while it was being locked: then another is made.
func tryLock(tmp *os.File, name string) (*os.File, error) {
	for {
		fd, err := unix.Openat(int(tmp.Fd()), name, unix.O_RDWR|unix.O_CREAT|unix.O_NOFOLLOW|unix.O_CLOEXEC|unix.O_NOCTTY, 0o600)
		if err != nil {
			return nil, fmt.Errorf("openat(%s): %w", name, err)
		}
		lock := os.NewFile(uintptr(fd), name)
		err = unix.FcntlFlock(lock.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{Type: unix.F_WRLCK})
		if err == unix.EAGAIN || err == unix.EACCES {
			return nil, lock.Close()
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("locking %s: %w", name, err), lock.Close())
		}
		if sameFile(tmp, name, lock) {
			return lock, nil
		}
		lock.Close()
	}
}

// sameFile reports whether name still is the file that is open.
func sameFile(dir *os.File, name string, f *os.File) bool {
	var there, open unix.Stat_t
	return unix.Fstatat(int(dir.Fd()), name, &there, unix.AT_SYMLINK_NOFOLLOW) == nil &&
		unix.Fstat(int(f.Fd()), &open) == nil && there.Dev == open.Dev && there.Ino == open.Ino
}

// unlock deletes a lock file, while it is locked, and gives the lock back.
func unlock(tmp *os.File, name string, lock *os.File) error {
	err := unix.Unlinkat(int(tmp.Fd()), name, 0)
	return errors.Join(err, lock.Close())
}

// remove deletes the staging directory, which is to be closed all the same.
func (s *stage) remove() error {
	if err := objstore.RemoveAll(int(s.tmp.Fd()), s.name); err != nil {
		return fmt.Errorf("removing staging directory: %w", err)
	}
	return nil
}

// leave lets others have the staging directory, unless nothing is in it: then it goes.
func (s *stage) leave() error {
	err := unix.Unlinkat(int(s.tmp.Fd()), s.name, unix.AT_REMOVEDIR)
	if err == unix.ENOENT || err == unix.ENOTEMPTY || err == unix.EEXIST {
		err = nil
	}
	return errors.Join(err, s.dir.Close(), unlock(s.tmp, s.name+lockSuffix, s.lock))
}

func (s *stage) close() error { return errors.Join(s.leave(), s.tmp.Close()) }

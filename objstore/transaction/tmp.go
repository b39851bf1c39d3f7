package transaction

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
)

func openDir(at *os.File, path string) (*os.File, error) {
	fd, err := unix.Openat(int(at.Fd()), path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("opendir(%s): %w", path, err)
	}
	return os.NewFile(uintptr(fd), path), nil
}

func readNames(at *os.File, path string) ([]string, error) {
	dir, err := openDir(at, path)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	return dir.Readdirnames(-1)
}

const defaultExpiry = 86400 // seconds, ostree's

// expiry is core.tmp-expiry-secs.
func expiry(config *objstore.KeyFile) (time.Duration, error) {
	seconds := int64(defaultExpiry)
	if text, ok := config.Get("core", "tmp-expiry-secs"); ok {
		var err error
		if seconds, err = strconv.ParseInt(text, 10, 32); err != nil {
			return 0, fmt.Errorf("core.tmp-expiry-secs: %.100q is not a number of seconds", text)
		}
	}
	return time.Duration(seconds) * time.Second, nil
}

// cleanTmp deletes what transactions of other boots have left, and what has been
// lying in the repository's directory for temporary files for too long.
func (t *Transaction) cleanTmp() error {
	age, err := expiry(t.repo.Config())
	if err != nil {
		return err
	}
	id, err := bootID()
	if err != nil {
		return err
	}
	return eachTemporary(t.repo, func(tmp *os.File, name string) error {
		if name == "cache" {
			return nil
		}
		return cleanOne(tmp, name, stagePrefix+id+"-", age)
	})
}

// eachTemporary has clean look at everything in the repository's directory for temporary
// files, if there is one. What does not belong there is in nobody's way.
func eachTemporary(repo *objstore.Repo, clean func(tmp *os.File, name string) error) error {
	tmp, err := openDir(repo.Dir(), "tmp")
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	if err != nil {
		return err
	}
	defer tmp.Close()
	names, err := tmp.Readdirnames(-1)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := clean(tmp, name); err != nil && !isStray(err) {
			return fmt.Errorf("cleaning up tmp: %w", err)
		}
	}
	return nil
}

func cleanOne(tmp *os.File, name, ours string, age time.Duration) error {
	var st unix.Stat_t
	if err := unix.Fstatat(int(tmp.Fd()), name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return nil // somebody else was faster
	}
	if strings.HasPrefix(name, stagePrefix) && st.Mode&unix.S_IFMT == unix.S_IFDIR {
		if strings.HasPrefix(name, ours) {
			return nil // it is in use, or will be gone on with
		}
		return removeStage(tmp, name)
	}
	if strings.HasPrefix(name, stagePrefix) && strings.HasSuffix(name, lockSuffix) {
		return removeLock(tmp, name)
	}
	changed := min(st.Mtim.Nano(), st.Ctim.Nano()) // a summary may have a time to come
	if time.Since(time.Unix(0, changed)) <= age {
		return nil
	}
	return objstore.RemoveAll(int(tmp.Fd()), name)
}

// removeStage deletes a staging directory that nobody has locked.
func removeStage(tmp *os.File, name string) error {
	s, err := takeStage(tmp, name)
	if s == nil {
		return err
	}
	return errors.Join(s.remove(), s.leave())
}

// removeLock deletes the lock file of a staging directory that is gone, unless
// somebody has locked it.
func removeLock(tmp *os.File, name string) error {
	lock, err := tryLock(tmp, name)
	if lock == nil {
		return err
	}
	if unix.Faccessat(int(tmp.Fd()), strings.TrimSuffix(name, lockSuffix), unix.F_OK, unix.AT_SYMLINK_NOFOLLOW) == nil {
		return lock.Close()
	}
	return unlock(tmp, name, lock)
}

// ClearStaging deletes what transactions have staged that were cut off. It is for who
// deletes objects: some of these may be what is staged was found to need.
func ClearStaging(repo *objstore.Repo) error {
	return eachTemporary(repo, func(tmp *os.File, name string) error {
		if !strings.HasPrefix(name, stagePrefix) || strings.HasSuffix(name, lockSuffix) {
			return nil
		}
		return removeStage(tmp, name)
	})
}

package prune

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/object"
)

// deltasOfNothing deletes the static deltas that lead to commits that are gone.
func (p *pruner) deltasOfNothing() error {
	return p.deltas(func(to object.Checksum) (bool, error) {
		there, err := p.repo.HasObject(object.Name{Checksum: to, Kind: object.KindCommit})
		return !there, err
	})
}

// deltas deletes the static deltas whose goal is chosen.
func (p *pruner) deltas(chosen func(to object.Checksum) (bool, error)) error {
	return EachDelta(p.repo, func(d Delta) error {
		gone, err := chosen(d.To)
		if err != nil || !gone {
			return err
		}
		p.options.Report("Trying to prune static delta %s", d.first+d.rest)
		return p.removeDelta(d.dir, d.rest)
	})
}

// Delta is a static delta.
type Delta struct {
	To object.Checksum // the commit that it leads to

	dir         *os.File // that it is in
	first, rest string   // its name
}

// Path is where the delta's files are, from the repository on.
func (d Delta) Path() string { return "deltas/" + d.first + "/" + d.rest }

// EachDelta visits the static deltas of a repository, until visit fails.
func EachDelta(repo *objstore.Repo, visit func(Delta) error) error {
	dir, err := openDir(repo.Dir(), "deltas", 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer dir.Close()
	firsts, err := dir.Readdirnames(-1)
	if err != nil {
		return fmt.Errorf("static deltas: %w", err)
	}
	for _, first := range firsts {
		if err := eachDeltaBelow(dir, first, visit); err != nil {
			return err
		}
	}
	return nil
}

// eachDeltaBelow visits the deltas whose names begin alike.
func eachDeltaBelow(deltas *os.File, first string, visit func(Delta) error) error {
	dir, err := openDir(deltas, first, unix.O_NOFOLLOW)
	if errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ELOOP) {
		return nil
	}
	if err != nil {
		return err
	}
	defer dir.Close()
	rests, err := dir.Readdirnames(-1)
	if err != nil {
		return fmt.Errorf("static deltas: %w", err)
	}
	for _, rest := range rests {
		to, ok := deltaGoal(first + rest)
		if !ok || !isDelta(dir, rest) {
			continue
		}
		if err := visit(Delta{To: to, dir: dir, first: first, rest: rest}); err != nil {
			return err
		}
	}
	return nil
}

// isDelta reports whether a delta is there: a directory with a superblock.
func isDelta(dir *os.File, name string) bool {
	var st unix.Stat_t
	err := unix.Fstatat(int(dir.Fd()), name, &st, unix.AT_SYMLINK_NOFOLLOW)
	if err != nil || st.Mode&unix.S_IFMT != unix.S_IFDIR {
		return false
	}
	_, err = sizeOf(dir, name+"/superblock")
	return err == nil
}

// deltaGoal is the commit to which a delta leads, from its name: TO or FROM-TO.
func deltaGoal(name string) (to object.Checksum, ok bool) {
	from, goal, two := strings.Cut(name, "-")
	if !two {
		return deltaSum(from)
	}
	if _, ok = deltaSum(from); !ok {
		return to, false
	}
	return deltaSum(goal)
}

// deltaEncoding is how deltas write checksums, but for "_" instead of "/".
var deltaEncoding = base64.RawStdEncoding.Strict()

func deltaSum(text string) (sum object.Checksum, ok bool) {
	data, err := deltaEncoding.DecodeString(strings.ReplaceAll(text, "_", "/"))
	if err != nil || len(data) != len(sum) || strings.Contains(text, "/") {
		return sum, false
	}
	return object.Checksum(data), true
}

// removeDelta deletes a delta, a directory of files. It leaves its place first,
// so that nobody finds a part of it; what a crash leaves in tmp, ostree clears.
func (p *pruner) removeDelta(dir *os.File, name string) error {
	repo := p.repo.Dir()
	temp := fmt.Sprintf("tmp/prune-%d-%d", os.Getpid(), time.Now().UnixNano())
	err := unix.Mkdirat(int(repo.Fd()), "tmp", 0o775)
	if err == nil || err == unix.EEXIST {
		err = unix.Renameat(int(dir.Fd()), name, int(repo.Fd()), temp)
	}
	if err == nil {
		err = removeFolder(repo, temp)
	}
	if err != nil {
		return fmt.Errorf("deleting static delta %s: %w", name, plain(err))
	}
	return nil
}

// removeFolder deletes a directory and the files in it.
func removeFolder(at *os.File, path string) error {
	dir, err := openDir(at, path, unix.O_NOFOLLOW)
	if err != nil {
		return err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := unix.Unlinkat(int(dir.Fd()), name, 0); err != nil {
			return err
		}
	}
	return unix.Unlinkat(int(at.Fd()), path, unix.AT_REMOVEDIR)
}

func openDir(at *os.File, path string, flags int) (*os.File, error) {
	fd, err := unix.Openat(int(at.Fd()), path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC|flags, 0)
	if err != nil {
		return nil, fmt.Errorf("opendir(%s): %w", path, plain(err))
	}
	return os.NewFile(uintptr(fd), path), nil
}

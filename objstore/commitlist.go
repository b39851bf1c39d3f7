package objstore

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"deployfs/objstore/object"
)

// How long ago a directory must have changed for its time to tell it from the next
// change: more than a tick of the kernel's clock, or, where the file system counts
// seconds, more than two of these.
const (
	shardSettled = 50 * time.Millisecond
	coarse       = 2500 * time.Millisecond
)

// CommitList follows which commits a repository and its parents hold, as they
// come and go. Its methods may be called at the same time.
type CommitList struct {
	mu    sync.Mutex
	repos []*shards
	all   []object.Checksum
}

// shards are what a repository's 256 directories of objects hold of commits.
type shards struct {
	repo *Repo
	dirs [256]shard
}

type shard struct {
	changed unix.Timespec // when the directory did so, zero when that is too lately
	commits []object.Checksum
}

// CommitList begins with no commits.
func (r *Repo) CommitList() *CommitList {
	l := &CommitList{}
	for repo := r; repo != nil; repo = repo.parent {
		l.repos = append(l.repos, &shards{repo: repo})
	}
	return l
}

// Refresh returns the commits that there are now, sorted, each once; the slice is
// not changed later. Only directories that have changed are read.
func (l *CommitList) Refresh() ([]object.Checksum, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	changed := l.all == nil
	for _, s := range l.repos {
		for i := range s.dirs {
			read, err := s.refresh(i)
			if err != nil {
				return nil, err
			}
			changed = changed || read
		}
	}
	if changed {
		l.collect()
	}
	return l.all, nil
}

// refresh reads a directory unless it is as it was.
func (s *shards) refresh(i int) (read bool, err error) {
	var st unix.Stat_t
	name := fmt.Sprintf("%02x", i)
	err = unix.Fstatat(int(s.repo.objects.Fd()), name, &st, unix.AT_SYMLINK_NOFOLLOW)
	d := &s.dirs[i]
	if errors.Is(err, unix.ENOENT) {
		read = d.commits != nil
		*d = shard{}
		return read, nil
	}
	if err != nil {
		return false, fmt.Errorf("listing commits: objects/%s: %w", name, describe(err))
	}
	if d.changed == st.Mtim && st.Mtim != (unix.Timespec{}) {
		return false, nil
	}
	changed, settled := st.Mtim, shardSettled
	if st.Mtim.Nsec == 0 {
		settled = coarse
	}
	if time.Since(time.Unix(st.Mtim.Unix())) < settled {
		changed = unix.Timespec{}
	}
	var list []object.Checksum
	err = s.repo.eachCommit(name, func(sum object.Checksum) error {
		list = append(list, sum)
		return nil
	})
	if errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ELOOP) {
		list, err = nil, nil // it holds no objects
	}
	if err != nil {
		return false, fmt.Errorf("listing commits: %w", err)
	}
	read = !slices.Equal(list, d.commits)
	*d = shard{changed, list}
	return read, nil
}

func (l *CommitList) collect() {
	all := []object.Checksum{}
	for _, s := range l.repos {
		for i := range s.dirs {
			all = append(all, s.dirs[i].commits...)
		}
	}
	if len(l.repos) > 1 {
		slices.SortFunc(all, func(a, b object.Checksum) int { return bytes.Compare(a[:], b[:]) })
		all = slices.Compact(all)
	}
	l.all = all
}

package backing

import (
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"deployfs/objstore/object"
	"deployfs/objstore/words"
)

// cached is a file of the cache, as eviction sees it.
type cached struct {
	sum  object.Checksum
	size int64
	used int64 // in seconds since 1970
}

// full makes room on a disk that is full, at the cache's own expense.
func (in *Inflated) full() {
	usage := in.usage.Load()
	if usage == nil || in.used() == 0 {
		return
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	in.evictTo(usage, in.used()/4*3)
}

// startEviction brings the cache well below its limit. The caller holds the lock.
func (in *Inflated) startEviction(usage *words.File) { in.evictTo(usage, in.limit/8*7) }

// evictTo removes files in a goroutine of its own, unless one is at it.
func (in *Inflated) evictTo(usage *words.File, target int64) {
	if in.evicting || in.closed.Load() {
		return
	}
	in.evicting = true
	in.evictor.Go(func() {
		in.evict(usage, target)
		in.mu.Lock()
		in.evicting = false
		in.mu.Unlock()
	})
}

// evict counts what the cache holds, and removes what was unused the longest
// until that is at most target. Another process that evicts does it for all.
func (in *Inflated) evict(usage *words.File, target int64) {
	lock, err := unix.Open(filepath.Join(in.dir, "lock"), unix.O_RDWR|unix.O_CREAT|unix.O_NOFOLLOW|unix.O_CLOEXEC|unix.O_NONBLOCK, 0o600)
	if err != nil {
		return
	}
	defer unix.Close(lock)
	if unix.Flock(lock, unix.LOCK_EX|unix.LOCK_NB) != nil {
		return
	}
	before := int64(usage.Load(usageTotal))
	files, ok := in.scan(usage)
	if !ok {
		return
	}
	slices.SortFunc(files, func(a, b cached) int { return int(a.used - b.used) })
	total := int64(0)
	for _, f := range files {
		total += cost(f.size)
	}
	for _, f := range files {
		if total <= target || in.closed.Load() {
			break
		}
		if unix.Unlink(in.path(f.sum)) == nil {
			total -= cost(f.size)
		}
	}
	usage.Add(usageTotal, total-before) // what came meanwhile stays counted
}

// scan lists the cache, and removes what does not belong there. It is not ok
// when the Store closes meanwhile.
func (in *Inflated) scan(usage *words.File) (files []cached, ok bool) {
	dirs, err := os.ReadDir(in.contentDir())
	if err != nil {
		return nil, false
	}
	for _, dir := range dirs {
		if in.closed.Load() {
			return nil, false
		}
		if len(dir.Name()) == 2 {
			files = in.scanDir(files, dir.Name(), usage)
		}
	}
	return files, true
}

func (in *Inflated) scanDir(files []cached, name string, usage *words.File) []cached {
	dir, err := os.OpenFile(filepath.Join(in.contentDir(), name), os.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return files
	}
	defer dir.Close()
	rests, err := dir.Readdirnames(-1)
	if err != nil {
		return files
	}
	for _, rest := range rests {
		var st unix.Stat_t
		if unix.Fstatat(int(dir.Fd()), rest, &st, unix.AT_SYMLINK_NOFOLLOW) != nil {
			continue
		}
		sum, err := object.ParseChecksum(name + rest)
		if err != nil || !words.Private(&st, unix.S_IFREG) {
			unix.Unlinkat(int(dir.Fd()), rest, 0) // a leftover, or damage
			continue
		}
		used := max(st.Mtim.Sec, int64(usage.Load(ageOf(sum))))
		files = append(files, cached{sum, st.Size, used})
	}
	return files
}

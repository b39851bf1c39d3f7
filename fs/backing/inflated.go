package backing

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"deployfs/objstore/object"
	"deployfs/objstore/words"
)

// Inflated is a cache on disk of verified content that was inflated:
// DIR/content/XX/REST by checksum, each file complete from the moment that it
// has a name. Servers share it. Beside it lie DIR/usage, where they count what
// it holds and note when a file was used last, and DIR/lock, held by the one
// that removes files. Where DIR or DIR/content is not ours alone, there is no
// cache.
type Inflated struct {
	dir   string
	limit int64

	usage atomic.Pointer[words.File] // nil before the first use, and where there is no cache

	mu       sync.Mutex
	tried    bool
	closed   atomic.Bool
	evicting bool
	evictor  sync.WaitGroup
}

const (
	usageTotal = 0       // the word that counts what all files cost
	usageAges  = 1 << 17 // the words after it: seconds since 1970, by checksum
)

// NewInflated makes the cache in dir, of at most limit bytes. Dir is created
// when it is first needed. Without a dir there is no cache.
func NewInflated(dir string, limit int64) *Inflated { return &Inflated{dir: dir, limit: limit} }

func (in *Inflated) contentDir() string { return filepath.Join(in.dir, "content") }

func (in *Inflated) path(sum object.Checksum) string {
	name := sum.String()
	return filepath.Join(in.contentDir(), name[:2], name[2:])
}

// shared is the cache's usage, or nil where there is no cache.
func (in *Inflated) shared() *words.File {
	if usage := in.usage.Load(); usage != nil {
		return usage
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.tried || in.closed.Load() || in.dir == "" {
		return in.usage.Load()
	}
	in.tried = true
	if os.MkdirAll(in.contentDir(), 0o700) != nil || !privateDir(in.dir) || !privateDir(in.contentDir()) {
		return nil
	}
	usage, fresh, err := words.Map(filepath.Join(in.dir, "usage"), 1+usageAges)
	if err != nil {
		return nil
	}
	in.usage.Store(usage)
	if names, _ := os.ReadDir(in.contentDir()); fresh && len(names) > 0 {
		in.startEviction(usage) // nobody knows what they cost
	}
	return usage
}

func privateDir(path string) bool {
	var st unix.Stat_t
	return unix.Lstat(path, &st) == nil && words.Private(&st, unix.S_IFDIR)
}

// renew makes the cache's directories again when somebody removed them.
func (in *Inflated) renew() {
	in.mu.Lock()
	defer in.mu.Unlock()
	if old := in.usage.Swap(nil); old != nil {
		old.Close()
		in.tried = false
	}
}

// find opens the file that is cached as sum. What it holds is not yet verified.
func (in *Inflated) find(sum object.Checksum) (fd int, st unix.Stat_t, ok bool) {
	usage := in.shared()
	if usage == nil {
		return -1, st, false
	}
	fd, err := unix.Open(in.path(sum), unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		if err == unix.ELOOP || err == unix.EACCES {
			in.remove(sum)
		}
		return -1, st, false
	}
	if unix.Fstat(fd, &st) != nil || !words.Private(&st, unix.S_IFREG) {
		unix.Close(fd)
		in.remove(sum)
		return -1, st, false
	}
	use(usage, sum)
	return fd, st, true
}

// use notes that a file is used now. It does not touch the file, or its ctime
// would change and the record no longer know it.
func use(usage *words.File, sum object.Checksum) {
	now := uint64(time.Now().Unix())
	if at := ageOf(sum); usage.Load(at)+60 < now {
		usage.Store(at, now)
	}
}

// ageOf is the word that says when sum was used; some others share it.
func ageOf(sum object.Checksum) int { return 1 + int(binary.BigEndian.Uint32(sum[4:])%usageAges) }

// remove takes a file out of the cache. Who has it open keeps it.
func (in *Inflated) remove(sum object.Checksum) {
	var st unix.Stat_t
	path := in.path(sum)
	if unix.Lstat(path, &st) == nil && unix.Unlink(path) == nil {
		if usage := in.usage.Load(); usage != nil {
			usage.Add(usageTotal, -cost(st.Size))
		}
	}
}

// cost is what a file counts: its blocks, and one for inode and name.
func cost(size int64) int64 { return (size+4095)/4096*4096 + 4096 }

// insert gives a file that create returned its name. It reports whether the file
// is in the cache now, and what it is like. Content that was not verified never is.
func (in *Inflated) insert(sum object.Checksum, fd int, verified bool) (st unix.Stat_t, ok bool) {
	usage := in.shared()
	if usage == nil || !verified || unix.Fstat(fd, &st) != nil || cost(st.Size) > in.limit {
		return st, false
	}
	if in.link(sum, fd) != nil || unix.Fstat(fd, &st) != nil {
		return st, false
	}
	use(usage, sum)
	if int64(usage.Add(usageTotal, cost(st.Size))) > in.limit {
		in.mu.Lock()
		in.startEviction(usage)
		in.mu.Unlock()
	}
	return st, true
}

func (in *Inflated) link(sum object.Checksum, fd int) error {
	from, to := descriptorPath(fd), in.path(sum)
	err := unix.Linkat(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.AT_SYMLINK_FOLLOW)
	if err != unix.ENOENT {
		return err
	}
	if err := unix.Mkdir(filepath.Dir(to), 0o700); err != nil && err != unix.EEXIST {
		return err
	}
	return unix.Linkat(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.AT_SYMLINK_FOLLOW)
}

// used is what the cache's files cost, as far as this process has used it.
func (in *Inflated) used() int64 {
	usage := in.usage.Load()
	if usage == nil {
		return 0
	}
	return max(int64(usage.Load(usageTotal)), 0)
}

// close ends the work on the cache. Content is inflated to nameless files after it.
func (in *Inflated) close() {
	in.mu.Lock()
	in.closed.Store(true)
	in.mu.Unlock()
	in.evictor.Wait()
	if usage := in.usage.Swap(nil); usage != nil {
		usage.Close()
	}
}

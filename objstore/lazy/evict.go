package lazy

import (
	"cmp"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"deployfs/objstore/object"
)

const (
	usageTotal = 0         // the word that counts what all files cost
	usageAges  = 1 << 17   // the words after it: seconds since 1970, by checksum
	useEvery   = 60        // seconds that may pass until a use is noted again
	staleAfter = time.Hour // of a file that somebody has begun to write
)

// cost is what a file counts: its blocks, and one for inode and name.
func cost(size int64) int64 { return (size+4095)/4096*4096 + 4096 }

// Used is how many bytes the cache takes, and how many it may.
func (c *Cache) Used() (used, limit int64) {
	return max(int64(c.usage.Load(usageTotal)), 0), c.limit
}

// use notes that an object is used now.
func (c *Cache) use(sum object.Checksum) {
	now := uint64(time.Now().Unix())
	if at := ageOf(sum); c.usage.Load(at)+useEvery < now {
		c.usage.Store(at, now)
	}
}

// ageOf is the word that says when sum was used; some others share it.
func ageOf(sum object.Checksum) int { return 1 + int(binary.BigEndian.Uint32(sum[4:])%usageAges) }

// count notes what the cache takes more, and makes room when that is too much.
func (c *Cache) count(bytes int64) {
	if total := int64(c.usage.Add(usageTotal, bytes)); bytes < 0 || total <= c.limit {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.evicting {
		return
	}
	c.evicting = true
	c.evictor.Go(func() {
		for more := true; more; {
			gone := c.evict(c.limit / 8 * 7)
			c.mu.Lock()
			more = gone && int64(c.usage.Load(usageTotal)) > c.limit // as others have come meanwhile
			c.evicting = more
			c.mu.Unlock()
		}
	})
}

// kept is a file of the cache, as eviction sees it.
type kept struct {
	path string
	size int64
	used int64 // in nanoseconds since 1970
}

// evict removes what was unused the longest, until all that is left costs at most target
// bytes, and reports whether there was any. Another process that is at it does it for all.
func (c *Cache) evict(target int64) (gone bool) {
	lock, err := os.OpenFile(c.path("evicting"), os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return false
	}
	defer lock.Close()
	if unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB) != nil {
		return false
	}
	before := int64(c.usage.Load(usageTotal))
	files := c.scan("objects")
	servers, _ := os.ReadDir(c.path(saidDir))
	for _, server := range servers {
		files = append(files, c.scan(filepath.Join(saidDir, server.Name()))...)
	}
	slices.SortFunc(files, func(a, b kept) int { return cmp.Compare(a.used, b.used) })
	total := int64(0)
	for _, f := range files {
		total += cost(f.size)
	}
	for _, f := range files {
		if total <= target {
			break
		}
		if unix.Unlink(f.path) == nil {
			total -= cost(f.size)
			gone = true
		}
	}
	c.usage.Add(usageTotal, total-before) // what came meanwhile stays counted
	c.sweep()
	return gone
}

// scan lists the files of a directory of two levels.
func (c *Cache) scan(below string) (files []kept) {
	dirs, _ := os.ReadDir(c.path(below))
	for _, dir := range dirs {
		entries, _ := os.ReadDir(c.path(below, dir.Name()))
		for _, e := range entries {
			info, err := e.Info()
			digits, kind, _ := strings.Cut(dir.Name()+e.Name(), ".")
			sum, err2 := object.ParseChecksum(digits)
			if err != nil || err2 != nil || !info.Mode().IsRegular() || kind == lieSuffix {
				continue
			}
			used := max(info.ModTime().UnixNano(), int64(c.usage.Load(ageOf(sum)))*1e9)
			files = append(files, kept{c.path(below, dir.Name(), e.Name()), info.Size(), used})
		}
	}
	return files
}

// sweep removes what processes that were killed have begun to write.
func (c *Cache) sweep() {
	entries, _ := os.ReadDir(c.path("tmp"))
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() && time.Since(info.ModTime()) > staleAfter {
			os.Remove(filepath.Join(c.path("tmp"), e.Name()))
		}
	}
}

package identity

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"sync"

	"deployfs/objstore/object"
)

const (
	maxRecords = 1 << 20 // in one file: some 90 MB
	maxFiles   = 16      // in one directory
)

// Cache is the identities of one tree. Its methods may be called at the same time.
type Cache struct {
	path    string
	limit   int    // of records
	records []byte // as the file has them, ascending by key

	mu    sync.Mutex
	added map[Key]object.Checksum
	used  map[int]bool // records that were asked for
}

// Open reads what is known of a tree, which name names in any way. What can't be read, for whatever
// reason, is nothing. With dir "" nothing is remembered.
func Open(dir, name string) *Cache {
	c := &Cache{limit: maxRecords, added: map[Key]object.Checksum{}, used: map[int]bool{}}
	if dir != "" {
		c.path = filepath.Join(dir, fileName(name))
		c.records = load(c.path)
	}
	return c
}

// Lookup is the checksum that was remembered for a key.
func (c *Cache) Lookup(k Key) (sum object.Checksum, ok bool) {
	i, ok := sort.Find(len(c.records)/recordSize, func(i int) int { return bytes.Compare(k[:], c.key(i)) })
	c.mu.Lock()
	defer c.mu.Unlock()
	if !ok {
		sum, ok = c.added[k]
		return sum, ok
	}
	c.used[i] = true
	return object.Checksum(c.record(i)[keySize:]), true
}

func (c *Cache) record(i int) []byte { return c.records[i*recordSize:][:recordSize] }
func (c *Cache) key(i int) []byte    { return c.record(i)[:keySize] }

// Add remembers a checksum.
func (c *Cache) Add(k Key, sum object.Checksum) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.added) < c.limit {
		c.added[k] = sum
	}
}

// Save replaces the file when there is something new. Where there is more than a file may hold, what
// nobody has asked for goes.
func (c *Cache) Save() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.path == "" || len(c.added) == 0 {
		return nil
	}
	if err := replace(c.path, encode(c.all())); err != nil {
		return fmt.Errorf("saving file identities: %w", err)
	}
	return removeOldest(filepath.Dir(c.path))
}

// all is the records of the next file, ascending.
func (c *Cache) all() [][]byte {
	var list [][]byte
	for k, sum := range c.added {
		list = append(list, append(k[:], sum[:]...))
	}
	for _, wanted := range []bool{true, false} {
		for i := range len(c.records) / recordSize {
			if c.used[i] == wanted && len(list) < c.limit {
				list = append(list, c.record(i))
			}
		}
	}
	slices.SortFunc(list, bytes.Compare)
	return list
}

// removeOldest keeps as many files in a directory as there may be.
func removeOldest(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	ages := map[string]int64{}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && isFileName(e.Name()) {
			ages[e.Name()] = info.ModTime().UnixNano()
		}
	}
	names := slices.SortedFunc(maps.Keys(ages), func(a, b string) int { return cmp.Compare(ages[b], ages[a]) })
	for _, name := range names[min(len(names), maxFiles):] {
		os.Remove(filepath.Join(dir, name))
	}
	return nil
}

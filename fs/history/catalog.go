package history

import (
	"bytes"
	"cmp"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"deployfs/objstore"
	"deployfs/objstore/facts"
	"deployfs/objstore/object"
)

// fresh is how long the order of commits is taken for what it was, where a name
// is asked for that it has.
const fresh = 50 * time.Millisecond

// info is what is remembered of a commit.
type info struct {
	at      uint64 // seconds since 1970
	parent  object.Checksum
	version string
}

// catalog remembers of commits what they are arranged by.
type catalog struct {
	repo *objstore.Repo
	list *objstore.CommitList

	mu    sync.Mutex
	known map[object.Checksum]info

	order   sync.Mutex // guards what follows
	read    time.Time
	from    []object.Checksum // the list that sorted was made of
	ordered []dated           // oldest first
}

// dated is a commit and its time.
type dated struct {
	at  int64 // seconds since 1970
	sum object.Checksum
}

func newCatalog(repo *objstore.Repo) *catalog {
	return &catalog{repo: repo, list: repo.CommitList(), known: map[object.Checksum]info{}}
}

// info is what is known of a commit, which is read once.
func (c *catalog) info(sum object.Checksum) (info, error) {
	c.mu.Lock()
	known, ok := c.known[sum]
	c.mu.Unlock()
	if ok {
		return known, nil
	}
	commit, err := c.repo.Commit(sum)
	if err != nil {
		return info{}, err
	}
	known = info{at: commit.Timestamp, parent: commit.Parent}
	known.version, _ = facts.Version(commit)
	c.mu.Lock()
	c.known[sum] = known
	c.mu.Unlock()
	return known, nil
}

// sorted returns the commits by time, oldest first; as they are now, or, when it
// need not be exact, were a moment ago. The slice is not changed later.
func (c *catalog) sorted(exact bool) ([]dated, error) {
	c.order.Lock()
	defer c.order.Unlock()
	if !exact && time.Since(c.read) < fresh {
		return c.ordered, nil
	}
	now := time.Now()
	sums, err := c.list.Refresh()
	if err != nil {
		return nil, err
	}
	if !slices.Equal(sums, c.from) {
		c.forget(sums)
		c.ordered = c.date(sums)
	}
	c.from, c.read = sums, now
	return c.ordered, nil
}

// forget drops what is known of commits that are not in a sorted list.
func (c *catalog) forget(sums []object.Checksum) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for sum := range c.known {
		if _, ok := slices.BinarySearchFunc(sums, sum, compareSums); !ok {
			delete(c.known, sum)
		}
	}
}

func compareSums(a, b object.Checksum) int { return bytes.Compare(a[:], b[:]) }

// lastDate is the last second of the year 9999.
const lastDate = 253402300799

// date sorts commits by time. One that can't be read, or whose time is no date,
// has no place.
func (c *catalog) date(sums []object.Checksum) []dated {
	all := make([]dated, len(sums))
	var next atomic.Int64
	var readers sync.WaitGroup
	for range 2 * runtime.GOMAXPROCS(0) {
		readers.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(sums) {
					return
				}
				all[i] = dated{-1, sums[i]}
				if known, err := c.info(sums[i]); err == nil && known.at <= lastDate {
					all[i].at = int64(known.at)
				}
			}
		})
	}
	readers.Wait()
	all = slices.DeleteFunc(all, func(d dated) bool { return d.at < 0 })
	slices.SortFunc(all, func(a, b dated) int { return cmp.Or(cmp.Compare(a.at, b.at), compareSums(a.sum, b.sum)) })
	return all
}

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

// retryAfter is when a commit that could not be read is read again.
const retryAfter = time.Second

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
	known map[object.Checksum]info // of commits that there are
	last  []object.Checksum        // that there were when known was looked through

	order   sync.Mutex // guards what follows
	read    time.Time
	from    []object.Checksum // the list that ordered was made of
	ordered []dated           // oldest first
	failed  bool              // a commit could not be read; made at
	made    time.Time
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

// current returns the commits that there are, sorted by their checksums. What is
// known of others is forgotten.
func (c *catalog) current() ([]object.Checksum, error) {
	sums, err := c.list.Refresh()
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.last) == len(sums) && (len(sums) == 0 || &c.last[0] == &sums[0]) {
		return sums, nil
	}
	c.last = sums
	for sum := range c.known {
		if _, ok := slices.BinarySearchFunc(sums, sum, compareSums); !ok {
			delete(c.known, sum)
		}
	}
	return sums, nil
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
	sums, err := c.current()
	if err != nil {
		return nil, err
	}
	if again := c.failed && now.Sub(c.made) > retryAfter; again || !slices.Equal(sums, c.from) {
		c.ordered, c.failed = c.date(sums)
		c.made = now
	}
	c.from, c.read = sums, now
	return c.ordered, nil
}

func compareSums(a, b object.Checksum) int { return bytes.Compare(a[:], b[:]) }

// lastDate is the last second of the year 9999.
const lastDate = 253402300799

// date sorts commits by time. One that can't be read, which is told, or whose time
// is no date, has no place.
func (c *catalog) date(sums []object.Checksum) (all []dated, failed bool) {
	all = make([]dated, len(sums))
	var next, failures atomic.Int64
	var readers sync.WaitGroup
	for range 2 * runtime.GOMAXPROCS(0) {
		readers.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(sums) {
					return
				}
				all[i] = dated{-1, sums[i]}
				known, err := c.info(sums[i])
				switch {
				case err != nil:
					failures.Add(1)
				case known.at <= lastDate:
					all[i].at = int64(known.at)
				}
			}
		})
	}
	readers.Wait()
	all = slices.DeleteFunc(all, func(d dated) bool { return d.at < 0 })
	slices.SortFunc(all, func(a, b dated) int { return cmp.Or(cmp.Compare(a.at, b.at), compareSums(a.sum, b.sum)) })
	return all, failures.Load() > 0
}

package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"sync"

	"deployfs/cmd/internal/cli"
	"deployfs/mount/daemon"
	"deployfs/objstore"
	"deployfs/objstore/usage"
)

// humanOption has sizes printed for people.
func humanOption(p *bool) cli.Option {
	return cli.Flag(p, "human-readable", "h", "Sizes in powers of 1024, such as 1.5M")
}

// size is a number of bytes, for people or exact.
func size(n uint64, human bool) string {
	if human {
		return amount(int64(min(n, math.MaxInt64)))
	}
	return strconv.FormatUint(n, 10)
}

// lockShared keeps prune away while objects are counted.
func lockShared(ctx context.Context, repo *objstore.Repo) (*objstore.Lock, error) {
	lock, err := repo.LockShared(ctx)
	if errors.Is(err, objstore.ErrLocked) {
		err = &daemon.Failure{Text: err.Error(), Remedy: "wait until the prune has ended that holds the lock"}
	}
	return lock, err
}

// startCounting makes a count, and shows it on a terminal until end is called.
func startCounting(inv *cli.Invocation, to **usage.Count) (end func()) {
	c := new(usage.Count)
	*to = c
	progress := cli.StartProgress(inv.Stderr, func() string {
		return fmt.Sprintf("%d commits, %d of %d directories, %d objects", c.Commits.Load(), c.Spread.Load(), c.Directories.Load(), c.Measured.Load())
	})
	return sync.OnceFunc(func() { progress.Stop("") })
}

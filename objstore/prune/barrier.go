package prune

import (
	"fmt"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
)

// barrier keeps the order of changes on the disk: what was changed before it
// is durable before what is changed after it.
type barrier struct {
	repo    *objstore.Repo
	off     bool // core.fsync=false
	crossed bool
}

func newBarrier(repo *objstore.Repo) *barrier {
	fsync, err := repo.Config().Bool("core", "fsync", true)
	return &barrier{repo: repo, off: err == nil && !fsync}
}

// first makes durable what was done before the first deletion: a ref that was
// deleted must not come back when its commit does not.
func (b *barrier) first() error {
	if b.crossed {
		return nil
	}
	b.crossed = true
	return b.flush()
}

// again makes durable what was done since the first deletion, if there was one.
func (b *barrier) again() error {
	if !b.crossed {
		return nil
	}
	return b.flush()
}

func (b *barrier) flush() error {
	if b.off {
		return nil
	}
	if err := unix.Syncfs(int(b.repo.Dir().Fd())); err != nil {
		return fmt.Errorf("syncfs: %w", err)
	}
	return nil
}

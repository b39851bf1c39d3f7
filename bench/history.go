package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// chronicle is the program under test with a mount of a whole repository.
type chronicle struct {
	mounted
	length int // of the history
}

var _ peer = (*chronicle)(nil)

func (c *chronicle) prepare(ctx context.Context, t *tree) error { return t.lengthen(ctx, c.length) }

func (c *chronicle) place(ctx context.Context, t *tree, dir string) error {
	repo, err := t.repo(ctx, c.mode)
	if err != nil {
		return err
	}
	return mountAt(ctx, dir, c.path, "mount", "--repo="+repo, c.option, dir)
}

func (c *chronicle) renew(ctx context.Context, t *tree, dir string) error {
	if err := c.remove(ctx, dir); err != nil {
		return err
	}
	return c.place(ctx, t, dir)
}

// askHistory asks for the names of all commits of a repository, at the first look and later.
func (b *bench) askHistory(ctx context.Context) error {
	t, length := b.main, b.historyLength()
	ours := &chronicle{mounted{b.peers.standard.program, "mount --history", bare, "--history"}, length}
	theirs := b.ostreeLog(length)
	list := func(below string) func(context.Context, spot) error {
		return func(ctx context.Context, s spot) error {
			if s.peer == peer(theirs) {
				return report(ctx, s)
			}
			return listAll(filepath.Join(s.dir, below), length)
		}
	}
	renew := func(ctx context.Context, s spot) error { return s.peer.renew(ctx, t, s.dir) }
	title := func(what string) string {
		return fmt.Sprintf("%s of the %d commits of %s listed (to `ostree log`, of all)", what, length, t.name)
	}
	peers := []peer{ours, theirs}
	return b.each(ctx,
		question{id: "names first", title: title("checksums"), tree: t, peers: peers, before: renew, timed: list("commits")},
		question{id: "names again", title: title("checksums, again,"), tree: t, peers: peers, timed: list("commits")},
		question{id: "dates first", title: title("by date: years"), tree: t, peers: peers, before: renew, timed: list("by-date")},
	)
}

// listAll reads a directory, which must not be empty; that of all commits has length of them at least.
func listAll(dir string, length int) error {
	entries, err := os.ReadDir(dir)
	if err == nil && (len(entries) == 0 || filepath.Base(dir) == "commits" && len(entries) < length) {
		err = fmt.Errorf("%s: %d entries", dir, len(entries))
	}
	return err
}

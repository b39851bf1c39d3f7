package main

import (
	"context"
	"os"
)

// peer is a way to make a tree usable in a directory.
type peer interface {
	// column is where its answers stand in the table, variant which of the column's peers it is.
	column() string
	variant() string
	// absent says why the peer can't be asked on this machine; "" when it can.
	absent() string
	// prepare makes what place needs, once.
	prepare(ctx context.Context, t *tree) error
	// place makes the tree usable at dir, which must not exist.
	place(ctx context.Context, t *tree, dir string) error
	// renew gives what was placed at dir a fresh start: nothing that the peer's
	// process or mount remembers of the tree's use is left.
	renew(ctx context.Context, t *tree, dir string) error
	// remove ends what place began. Files may stay until the run ends.
	remove(ctx context.Context, dir string) error
	// status tells about the server behind dir; it is zero where there is none.
	status(ctx context.Context, dir string) (status, error)
}

// Columns of the table.
const (
	subject  = "deployfs"
	native   = "checkout"
	erofs    = "EROFS"
	squashfs = "squashfs"
	fusefs   = "squashfuse"
)

var _ = []peer{(*mounted)(nil), (*indexing)(nil), (*checkout)(nil), (*image)(nil)}

// spot is a tree that a peer has made usable, or will, in a directory.
type spot struct {
	peer peer
	tree *tree
	dir  string
}

// entries is how many there are.
func (s spot) entries() int {
	n := s.tree.counts.entries
	if m, ok := s.peer.(*mounted); ok && m.mode != bare {
		n -= len(s.tree.largest())
	}
	return n
}

// checkout is the real ostree, which links every file into place.
type checkout struct{}

func (c *checkout) column() string  { return native }
func (c *checkout) variant() string { return "" }
func (c *checkout) absent() string  { return "" }

func (c *checkout) prepare(ctx context.Context, t *tree) error {
	_, err := t.repo(ctx, bare)
	return err
}

func (c *checkout) place(ctx context.Context, t *tree, dir string) error {
	repo, err := t.repo(ctx, bare)
	if err != nil {
		return err
	}
	_, err = run(ctx, "ostree", "checkout", "--repo="+repo, "-H", t.ref(), dir)
	return err
}

func (c *checkout) renew(context.Context, *tree, string) error { return nil }

// remove leaves the files: ext4 does not use the inodes of deleted directories again for a minute or
// more, but looks at each of them when it makes a directory, so that the next checkout would be slow.
func (c *checkout) remove(context.Context, string) error { return nil }

func (c *checkout) status(context.Context, string) (status, error) { return status{}, nil }

// mountAt makes the directory dir, and mounts something on it by a command.
func mountAt(ctx context.Context, dir string, command ...string) error {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	_, err := run(ctx, command...)
	return err
}

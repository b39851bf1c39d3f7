package main

import (
	"fmt"
	"sync/atomic"

	"deployfs/cmd/internal/cli"
	"deployfs/objstore"
	"deployfs/objstore/object"
)

// counted is a repository that counts what a history makes it read.
type counted struct {
	*objstore.Repo
	commits, dirtrees atomic.Int64
}

// Commit is the repository's.
func (c *counted) Commit(sum object.Checksum) (object.Commit, error) {
	c.commits.Add(1)
	return c.Repo.Commit(sum)
}

// DirTree is the repository's.
func (c *counted) DirTree(sum object.Checksum) (object.DirTree, error) {
	c.dirtrees.Add(1)
	return c.Repo.DirTree(sum)
}

// start shows the numbers on a terminal.
func (c *counted) start(inv *cli.Invocation) *cli.Progress {
	return cli.StartProgress(inv.Stderr, func() string {
		return fmt.Sprintf("%d commits, %d directories opened", c.commits.Load(), c.dirtrees.Load())
	})
}

package fsck

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"deployfs/objstore"
	"deployfs/objstore/object"
	"deployfs/objstore/verify"
)

// Options says what is checked and done.
type Options struct {
	All            bool // go on after a corrupt object
	Delete         bool // remove corrupt objects, and go on
	AddTombstones  bool // leave a tombstone for each commit that is absent and has a child
	VerifyBindings bool // each ref must be among those that its commit is bound to
	VerifyBackRefs bool // each ref that a commit is bound to must name it; this is VerifyBindings, too

	Events Events
}

// Events are told how a check goes, never two at once. Any may be nil.
type Events struct {
	Refs        func()                // refs are being checked
	Collections func()                // now those of collections
	Commits     func()                // now commits are being listed
	Objects     func(commits int)     // now what so many commits need
	Checked     func()                // what they need was checked
	Problem     func(Problem)         // an object is absent or corrupt; not the one that ends the check
	Partial     func(object.Checksum) // a commit is marked as partial
	Tombstone   func(object.Checksum) // a tombstone was made for a commit
}

// Count is how far a check has come. It may be read at any time.
type Count struct {
	verify.Count              // Objects are those that were checked, each once
	Total        atomic.Int64 // objects to be checked, 0 as long as that is not known
}

// Result is what a check found, as far as it came.
type Result struct {
	Commits     int // that are not partial
	Partial     int // commits that were so before
	FsckPartial int // of these, those that a check marked
	Problems    int // absent and corrupt objects
	Marked      int // commits marked as partial
	Tombstones  int
}

// ErrCorrupt says that a check went on to its end and found something wrong, in
// ostree's words.
var ErrCorrupt = errors.New("Repository corruption encountered")

// PartialError says that an earlier check found something wrong that was not
// mended yet. Commits counts all that are partial, as ostree does.
type PartialError struct{ Commits int }

func (e *PartialError) Error() string {
	return fmt.Sprintf("%d partial commits from fsck-detected corruption", e.Commits)
}

// Hint is the remedy.
func (e *PartialError) Hint() string {
	return "pulling the commits fetches what they lack, and takes the marks away"
}

// Run checks a repository. The error is [ErrCorrupt], a [*PartialError], a
// [*Problem] that ends the check, a binding's, or that of ctx.
func Run(ctx context.Context, repo *objstore.Repo, o Options, count *Count) (Result, error) {
	c := &checker{ctx: ctx, repo: repo, options: o, count: count, commits: map[object.Checksum]error{}}
	if err := c.takeLock(); err != nil {
		return c.result, err
	}
	defer func() { c.lock.Close() }()
	for _, step := range []func() error{c.checkRefs, c.listCommits, c.checkObjects, c.addTombstones} {
		err := step()
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return c.result, err
		}
	}
	return c.result, c.verdict()
}

// checker is one check.
type checker struct {
	ctx     context.Context
	repo    *objstore.Repo
	options Options
	count   *Count
	result  Result

	lock *objstore.Lock

	commits   map[object.Checksum]error // those that refs name, and how they are
	whole     []object.Checksum         // commits whose objects are to be checked
	orphans   []object.Checksum         // absent commits that have a child
	found     []Problem                 // those that are not told yet
	collected map[tie]string            // refs of collections, made when they are wanted
}

// verdict is how a check that went on to its end ended.
func (c *checker) verdict() error {
	switch {
	case c.result.Problems > 0:
		return ErrCorrupt
	case c.result.FsckPartial > 0:
		return &PartialError{c.result.Partial}
	}
	return nil
}

// takeLock keeps others from deleting, or with Delete from reading, too.
func (c *checker) takeLock() (err error) {
	take := c.repo.LockShared
	if c.options.Delete {
		take = c.repo.LockExclusive
	}
	c.lock, err = take(c.ctx)
	return err
}

// tell calls an event that may be nil.
func tell(event func()) {
	if event != nil {
		event()
	}
}

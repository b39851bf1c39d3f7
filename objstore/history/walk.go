package history

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"deployfs/objstore/object"
	"deployfs/objstore/tree"
)

// Commit is a commit and its name.
type Commit struct {
	Checksum object.Checksum
	object.Commit
}

// Repo reads commits. An absent one is an error that is [fs.ErrNotExist].
type Repo interface {
	Commit(sum object.Checksum) (object.Commit, error)
}

// Store reads commits and their directories.
type Store interface {
	Repo
	tree.Loader
}

// ErrShallow says that a history goes on beyond what the repository holds. It is
// found in a [*ShallowError].
var ErrShallow = errors.New("history goes on beyond what the repository holds")

// ShallowError is [ErrShallow] with the place where the history breaks off.
type ShallowError struct {
	Last   object.Checksum // the oldest commit that is here
	Parent object.Checksum // the one that is not
}

func (e *ShallowError) Error() string {
	return fmt.Sprintf("commit %s: parent %s is not in the repository", e.Last, e.Parent)
}

// Unwrap makes the error [ErrShallow].
func (e *ShallowError) Unwrap() error { return ErrShallow }

// Walk visits the commit from and its parents, newest first, until visit returns
// false, an error, or there are no more. When a parent is not in the repository,
// the error is [ErrShallow], and everything before it has been visited; that from
// itself is not there is the repository's own error. Commits that follow one
// another in a circle, which no repository that checks its objects can hold, are
// an error before long.
func Walk(ctx context.Context, r Repo, from object.Checksum, visit func(Commit) (bool, error)) error {
	seen := circle{}
	for sum, child := from, (object.Checksum{}); child.IsZero() || !sum.IsZero(); {
		if err := ctx.Err(); err != nil {
			return err
		}
		commit, err := r.Commit(sum)
		if !child.IsZero() && errors.Is(err, fs.ErrNotExist) {
			return &ShallowError{Last: child, Parent: sum}
		}
		if err != nil {
			return err
		}
		if seen.closed(sum) {
			return fmt.Errorf("commit %s is its own ancestor", sum)
		}
		more, err := visit(Commit{sum, commit})
		if err != nil || !more {
			return err
		}
		sum, child = commit.Parent, sum
	}
	return nil
}

// circle notices that a line of commits comes back to where it was, in constant
// memory: it remembers one commit, for twice as many steps each time. Source:
// R. P. Brent, An improved Monte Carlo factorization algorithm, 1980.
type circle struct {
	mark        object.Checksum
	steps, keep int
}

func (c *circle) closed(sum object.Checksum) bool {
	if sum == c.mark {
		return true
	}
	if c.steps == c.keep {
		c.mark, c.steps, c.keep = sum, 0, 2*c.keep+1
	}
	c.steps++
	return false
}

// Pairs visits as [Walk] does, each commit together with its parent, which is nil
// for the last one.
func Pairs(ctx context.Context, r Repo, from object.Checksum, visit func(c Commit, parent *Commit) (bool, error)) error {
	var child *Commit
	err := Walk(ctx, r, from, func(c Commit) (more bool, err error) {
		more = true
		if child != nil {
			more, err = visit(*child, &c)
		}
		child = &c
		if !more {
			child = nil
		}
		return more, err
	})
	if child == nil || err != nil && !errors.Is(err, ErrShallow) {
		return err
	}
	if more, failed := visit(*child, nil); failed != nil || !more {
		return failed
	}
	return err
}

package fsck

import (
	"errors"

	"deployfs/objstore"
	"deployfs/objstore/object"
)

// handle tells a problem and does what is to be done about it, or returns it when
// it ends the check.
func (c *checker) handle(p Problem) error {
	if !p.Missing && !c.options.All && !c.options.Delete {
		c.result.Problems++
		return &p
	}
	c.problem(p)
	removed, err := c.remove(p)
	if err != nil || !p.Missing && !removed {
		return err
	}
	if kind := p.Object.Kind; kind == object.KindCommit || kind == object.KindCommitMeta {
		return nil
	}
	return c.mark(p.Commits)
}

func (c *checker) problem(p Problem) {
	c.result.Problems++
	if c.options.Events.Problem != nil {
		c.options.Events.Problem(p)
	}
}

// remove takes a corrupt object away. One that could not be read may be good.
func (c *checker) remove(p Problem) (removed bool, err error) {
	if !c.options.Delete || !errors.As(p.Err, new(*object.CorruptError)) {
		return false, nil
	}
	if p.Object.Kind == object.KindCommit {
		if err := c.bury(p.Object.Checksum); err != nil {
			return false, err
		}
	}
	return true, c.repo.RemoveObject(p.Object)
}

// bury leaves a tombstone where they are wanted.
func (c *checker) bury(commit object.Checksum) error {
	wanted, err := c.repo.Tombstones()
	if err == nil && wanted {
		_, err = c.repo.Bury(commit)
	}
	return err
}

// mark marks commits as partial that are not so yet.
func (c *checker) mark(commits []object.Checksum) error {
	for _, sum := range commits {
		partial, err := c.repo.Partial(sum)
		if err != nil {
			return err
		}
		if partial != objstore.Whole {
			continue
		}
		if c.options.Events.Partial != nil {
			c.options.Events.Partial(sum)
		}
		if err := c.repo.MarkDefective(sum); err != nil {
			return err
		}
		c.result.Marked++
	}
	return nil
}

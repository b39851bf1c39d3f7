package fsck

import (
	"errors"
	"io/fs"

	"deployfs/objstore"
	"deployfs/objstore/object"
)

// listCommits looks at every commit, also at partial ones and those of parent
// repositories.
func (c *checker) listCommits() error {
	tell(c.options.Events.Commits)
	list, err := c.repo.Commits()
	if err != nil {
		return err
	}
	for _, sum := range list {
		if err := c.listCommit(sum); err != nil {
			return err
		}
	}
	c.result.Commits = len(c.whole)
	return nil
}

func (c *checker) listCommit(sum object.Checksum) error {
	if err := c.ctx.Err(); err != nil {
		return err
	}
	commit, err := c.repo.Commit(sum)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it went meanwhile
	}
	partial, stateErr := c.repo.Partial(sum)
	if stateErr != nil {
		return stateErr
	}
	switch partial {
	case objstore.Whole:
		c.whole = append(c.whole, sum)
	case objstore.Defective:
		c.result.FsckPartial++
		fallthrough
	default:
		c.result.Partial++
	}
	if err != nil {
		c.badCommit(sum, err)
		return nil
	}
	if c.options.VerifyBackRefs {
		if err := c.checkBackRefs(sum, commit); err != nil {
			return err
		}
	}
	return c.lookForParent(commit.Parent)
}

// badCommit keeps a commit that can't be read for when objects are checked, unless
// it was told of already.
func (c *checker) badCommit(sum object.Checksum, err error) {
	if _, told := c.commits[sum]; told {
		return
	}
	c.commits[sum] = err
	p := problemOf(object.Name{Checksum: sum, Kind: object.KindCommit}, err)
	p.Commits = []object.Checksum{sum}
	c.found = append(c.found, p)
}

// lookForParent keeps a parent that is absent for when tombstones are made.
func (c *checker) lookForParent(parent object.Checksum) error {
	if !c.options.AddTombstones || parent.IsZero() {
		return nil
	}
	there, err := c.repo.HasObject(object.Name{Checksum: parent, Kind: object.KindCommit})
	if err == nil && !there {
		c.orphans = append(c.orphans, parent)
	}
	return err
}

// addTombstones leaves tombstones for commits that are absent and have children.
func (c *checker) addTombstones() error {
	for _, sum := range c.orphans {
		if err := c.repo.WantTombstones(); err != nil {
			return err
		}
		made, err := c.repo.Bury(sum)
		if err != nil {
			return err
		}
		if made {
			c.result.Tombstones++
			if c.options.Events.Tombstone != nil {
				c.options.Events.Tombstone(sum)
			}
		}
	}
	return nil
}

package fsck

import (
	"context"
	"errors"
	"slices"
	"time"

	"deployfs/objstore"
	"deployfs/objstore/object"
)

// patience is how long a check waits for transactions of others, which may be
// bringing what it misses.
const patience = 3 * time.Second

// settle handles what the walk found.
func (w *walk) settle() error {
	found := w.c.found
	w.c.found = nil
	if !slices.ContainsFunc(found, func(p Problem) bool { return p.Missing }) {
		return w.handleAll(found)
	}
	back, err := w.c.withoutOthers()
	if err != nil {
		return err
	}
	found, err = w.c.stillMissing(found)
	if err == nil {
		err = w.handleAll(found)
	}
	return errors.Join(err, back())
}

func (w *walk) handleAll(found []Problem) error {
	for _, p := range found {
		if err := w.handle(p); err != nil {
			return err
		}
	}
	return nil
}

// withoutOthers changes the shared lock for the exclusive one until back is called.
// Where somebody holds on to the lock, the check goes on as it was.
func (c *checker) withoutOthers() (back func() error, err error) {
	if c.options.Delete || c.lock == nil {
		return func() error { return nil }, nil
	}
	back = func() (err error) {
		c.lock.Close()
		c.lock, err = c.repo.LockShared(c.ctx)
		return err
	}
	c.lock.Close()
	ctx, cancel := context.WithTimeout(c.ctx, patience)
	defer cancel()
	c.lock, err = c.repo.LockExclusive(ctx)
	if errors.Is(err, objstore.ErrInUse) || errors.Is(err, context.DeadlineExceeded) {
		return func() error { return nil }, back()
	}
	return back, err
}

// stillMissing leaves out what has come meanwhile.
func (c *checker) stillMissing(found []Problem) (still []Problem, err error) {
	for _, p := range found {
		there := false
		if p.Missing {
			if there, err = c.repo.HasObject(p.Object); err != nil {
				return nil, err
			}
		}
		if !there {
			still = append(still, p)
		}
	}
	return still, nil
}

// handle does what is to be done about an object that commits need.
func (w *walk) handle(p Problem) error {
	if p.Commits == nil {
		if w.owners == nil {
			owners, err := newOwners(w)
			if err != nil {
				return err
			}
			w.owners = owners
		}
		var err error
		if p.Commits, err = w.c.present(w.owners.of(p.Object)); err != nil {
			return err
		}
		if len(p.Commits) == 0 {
			return nil // it went with the commits that needed it
		}
	}
	return w.c.handle(p)
}

// present leaves out commits that have gone meanwhile.
func (c *checker) present(commits []object.Checksum) (list []object.Checksum, err error) {
	for _, sum := range commits {
		there, err := c.repo.HasObject(object.Name{Checksum: sum, Kind: object.KindCommit})
		if err != nil {
			return nil, err
		}
		if there {
			list = append(list, sum)
		}
	}
	return list, nil
}

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

// settle handles what the walk found, unless a directory that was absent has come:
// then the walk has to be made again.
func (w *walk) settle() (again bool, err error) {
	found := w.c.found
	w.c.found = nil
	if !slices.ContainsFunc(found, func(p Problem) bool { return p.Missing }) {
		return false, w.handleAll(found)
	}
	back, err := w.c.withoutOthers()
	if err != nil {
		return false, err
	}
	still, err := w.c.stillMissing(found)
	switch {
	case err != nil:
	case absentDirs(still) < absentDirs(found):
		again = true
	default:
		err = w.handleAll(still)
	}
	return again, errors.Join(err, back())
}

// absentDirs counts directories that are absent.
func absentDirs(found []Problem) (n int) {
	for _, p := range found {
		if p.absentDir() {
			n++
		}
	}
	return n
}

func (p *Problem) absentDir() bool { return p.Missing && p.Object.Kind == object.KindDirTree }

// handleAll handles absent directories first: they may end the check.
func (w *walk) handleAll(found []Problem) error {
	slices.SortStableFunc(found, func(a, b Problem) int {
		switch {
		case a.absentDir() == b.absentDir():
			return 0
		case a.absentDir():
			return -1
		}
		return 1
	})
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
	if o := &w.c.options; p.absentDir() && !o.All && !o.Delete {
		return &absentDirectory{&object.NotExistError{Object: p.Object}}
	}
	return w.c.handle(p)
}

// absentDirectory ends a check, as it does ostree's, unless that is told to go on.
type absentDirectory struct{ error }

func (e *absentDirectory) Unwrap() error { return e.error }
func (e *absentDirectory) Hint() string {
	return "with --all the commits that need it are marked as partial, so that a pull can fetch it"
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

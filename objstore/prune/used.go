package prune

import (
	"fmt"
	"slices"

	"deployfs/objstore"
	"deployfs/objstore/object"
	"deployfs/objstore/reach"
)

// MountedError says that a commit that is to be deleted is in use.
type MountedError struct{ Commit object.Checksum }

func (e *MountedError) Error() string { return fmt.Sprintf("Commit '%s' is mounted", e.Commit) }

// LostLeaseError says that a mount shows a commit that is gone, so that what it
// needs can't be told from what it does not.
type LostLeaseError struct{}

func (*LostLeaseError) Error() string {
	return objstore.ErrInUse.Error() + ": a mount shows a commit that is not in the repository any more"
}

// Hint is the remedy.
func (*LostLeaseError) Hint() string {
	return "unmount it first (`deployfs mounts` lists mounts), or use --force"
}

// findUsed lists the commits that are in use: those that the caller knows, and
// those that have a lease.
func (p *pruner) findUsed(lock *objstore.Lock) error {
	if p.options.Force {
		return nil
	}
	p.used = slices.Clone(p.options.Mounted)
	leases, err := lock.Leases()
	if err != nil || len(leases) == 0 {
		return err
	}
	commits, err := p.repo.Commits()
	if err != nil {
		return err
	}
	found := map[objstore.LeaseID]bool{}
	for _, id := range leases {
		found[id] = false
	}
	for _, sum := range commits {
		id := objstore.LeaseOf(sum)
		if _, ok := found[id]; ok {
			found[id] = true
			p.used = append(p.used, sum)
		}
	}
	for _, known := range found {
		if !known {
			return &LostLeaseError{}
		}
	}
	return nil
}

// keepUsed marks what the commits in use need, and notes those that nothing else keeps.
func (p *pruner) keepUsed(w *reach.Walker) error {
	for _, sum := range p.used {
		if w.Reached(sum) {
			continue
		}
		if err := w.History(sum, 0); err != nil {
			return err
		}
		if w.Reached(sum) {
			p.result.Kept = append(p.result.Kept, sum)
		}
	}
	return nil
}

package prune

import (
	"context"

	"deployfs/objstore"
	"deployfs/objstore/object"
	"deployfs/objstore/reach"
	"deployfs/objstore/transaction"
)

// Options says what is kept and what is done.
type Options struct {
	RefsOnly   bool      // roots are what refs name, not every commit
	Depth      int       // parents of each root that are kept; [reach.AllParents] for all
	Branches   *Branches // choose by branch; nil for RefsOnly and Depth alone
	CommitOnly bool      // look at commits only, delete nothing else
	DryRun     bool      // delete no object

	Delete           *string // checksum of a commit that is deleted first, or nil
	DeleteDeltasOnly bool    // of Delete only the static deltas that lead to it

	Mounted []object.Checksum // commits that are in use, besides those that have a lease
	Force   bool              // delete what is in use, too; Mounted is not looked at

	Report func(format string, args ...any) // what is deleted, one line each; may be nil
}

// Result is what was found and done.
type Result struct {
	Total   int               // objects; commits when only these were looked at
	Deleted int               // objects that are deleted, or would be
	Freed   uint64            // bytes of theirs
	Kept    []object.Checksum // commits that are there only because they are in use
}

// Run prunes a repository. It fails with [objstore.ErrInUse] when somebody else
// holds the repository's lock for longer than its configuration lets it wait.
func Run(ctx context.Context, repo *objstore.Repo, o Options) (r Result, err error) {
	if o.Report == nil {
		o.Report = func(string, ...any) {}
	}
	if !o.DryRun {
		if err := repo.CheckWritable(); err != nil {
			return r, err
		}
	}
	lock, err := repo.LockExclusive(ctx)
	if err != nil {
		return r, err
	}
	defer lock.Close()
	p := &pruner{repo: repo, options: &o, sync: newBarrier(repo)}
	if err := p.findUsed(lock); err != nil {
		return r, err
	}
	return p.run(ctx)
}

// pruner is one run, under the lock.
type pruner struct {
	repo    *objstore.Repo
	options *Options
	used    []object.Checksum // commits that are to be kept because they are in use
	tombs   bool              // leave a tombstone for each commit that is deleted
	gone    []object.Checksum // commits that were deleted
	sync    *barrier
	result  Result
}

func (p *pruner) run(ctx context.Context) (r Result, err error) {
	if p.tombs, err = p.repo.Tombstones(); err != nil {
		return r, err
	}
	if !p.options.DryRun {
		if err := transaction.ClearStaging(p.repo); err != nil {
			return r, err
		}
	}
	if p.options.Delete != nil {
		if err := p.deleteNamed(*p.options.Delete); err != nil {
			return r, err
		}
	}
	held, err := reach.Take(p.repo, p.options.CommitOnly)
	if err != nil {
		return r, err
	}
	w := reach.NewWalker(ctx, p.repo, held, !p.options.CommitOnly)
	if err := roots(p.repo, held, w, p.options); err != nil {
		return r, err
	}
	if err := p.keepUsed(w); err != nil {
		return r, err
	}
	if err := p.count(held); err != nil {
		return r, err
	}
	if err := p.sweep(ctx, held); err != nil {
		return r, err
	}
	if err := p.deltasOfNothing(); err != nil {
		return r, err
	}
	return p.result, p.staleSummaries()
}

// count counts what there is. Of commits those of parents count, as with ostree.
func (p *pruner) count(held *reach.Inventory) error {
	p.result.Total = held.Total()
	if p.options.CommitOnly {
		commits, err := p.repo.Commits()
		p.result.Total = len(commits)
		return err
	}
	return nil
}

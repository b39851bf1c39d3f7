package compile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"time"

	"deployfs/objstore"
	"deployfs/objstore/delta"
	"deployfs/objstore/object"
)

// Run makes a delta to a commit, from another one or, where that is zero, from none.
func Run(ctx context.Context, repo *objstore.Repo, from, to object.Checksum, o Options) (err error) {
	lock, err := repo.LockShared(ctx)
	if err != nil {
		return err
	}
	defer lock.Close()
	if o.Log == nil {
		o.Log = io.Discard
	}
	name := object.Name{Checksum: to, Kind: object.KindCommit}
	commit, err := repo.Metadata(name)
	if err != nil {
		return err
	}
	target, err := newTarget(repo, objstore.Delta{From: from, To: to}, o.Filename)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, target.close()) }()
	plan, err := makePlan(ctx, repo, from, to)
	if err != nil {
		return err
	}
	jobs, err := chooseAll(ctx, repo, plan, from, to, o)
	if err != nil {
		return err
	}
	s := &delta.Superblock{From: from, To: to, Timestamp: uint64(time.Now().Unix()), Commit: commit, Metadata: o.Metadata, Order: delta.Order{Big: o.Big, Known: true}}
	if s.Detached, _, err = repo.CommitMeta(to); err != nil {
		return err
	}
	b := &builder{ctx: ctx, repo: repo, options: o, target: target, super: s}
	defer b.close()
	if err := b.build(plan, jobs); err != nil {
		return err
	}
	return target.finish()
}

// job is how a file is described.
type job struct {
	*file
	method
	*match
}

// chooseAll decides how each file is described: first those that are chunks of others, then
// those that are patches, then whole ones; those with the same ending side by side, as they
// compress best together.
func chooseAll(ctx context.Context, repo *objstore.Repo, plan *plan, from, to object.Checksum, o Options) ([]job, error) {
	if !from.IsZero() {
		commit, err := repo.Commit(from)
		if err != nil {
			return nil, err
		}
		if err := findSimilar(ctx, repo, commit.Root, plan.files); err != nil {
			return nil, err
		}
	}
	c := &chooser{repo, o}
	var unpatched []*file
	similar := 0
	for _, f := range plan.files {
		if f.base == nil {
			continue
		}
		similar++
		if !c.patchable(f) {
			unpatched = append(unpatched, f)
		}
	}
	fmt.Fprintf(o.Log, "modified: %d\n", similar)
	metadata := len(plan.metadata)
	if from != to {
		metadata++ // the commit, which the superblock holds
	}
	fmt.Fprintf(o.Log, "new reachable: metadata=%d content regular=%d symlink=%d\n", metadata, len(plan.files), len(plan.links))
	matches, err := c.compareAll(ctx, unpatched)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(o.Log, "rollsum for %d/%d modified\n", len(matches), similar)
	jobs := make([]job, len(plan.files))
	for i, f := range plan.files {
		jobs[i] = job{f, c.choose(f, matches[f]), matches[f]}
	}
	slices.SortStableFunc(jobs, func(a, b job) int {
		if a.method != b.method {
			return int(a.method) - int(b.method)
		}
		return strings.Compare(a.ending(), b.ending())
	})
	return jobs, nil
}

// compareAll compares files with their bases, and returns the matches of those that have enough.
func (c *chooser) compareAll(ctx context.Context, files []*file) (map[*file]*match, error) {
	found := map[*file]*match{}
	err := ordered(ctx, runtime.GOMAXPROCS(0), len(files),
		func(ctx context.Context, i int) (*match, error) { return c.compare(ctx, files[i]) },
		func(i int, m *match) error {
			if m != nil {
				f := files[i]
				found[f] = m
				fmt.Fprintf(c.options.Log, "rollsum for %s -> %s; crcs=%d bufs=%d total=%d matchsize=%d\n", f.base.sum, f.sum, m.Sums, m.Equal, m.Chunks, m.Size)
			}
			return nil
		},
		func(*match) {})
	return found, err
}

package history

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync/atomic"

	"deployfs/objstore/object"
)

// Found is a path at which the commits of a history hold a target.
type Found struct {
	Path string // "/" for a commit itself, its root dirtree and its root dirmeta
	Runs []Run  // newest first; there is at least one
}

// Run is a number of commits in a row.
type Run struct {
	First, Last Brief // the oldest and the newest
	Commits     int
	Shallow     bool // First is the last commit that is here: the run may have begun earlier
}

// Commits is the number of commits that hold the target at the path.
func (f Found) Commits() (n int) {
	for _, r := range f.Runs {
		n += r.Commits
	}
	return n
}

// Finder finds a target in one history after another. A directory that was
// looked into, at whatever place in whatever commit, is not opened again. What all
// histories hold together is bounded.
type Finder struct {
	store    Store
	target   Target
	size     budget // left for what is found
	verdicts verdicts
	opened   atomic.Int64
	commits  atomic.Int64
}

// NewFinder looks in a repository.
func NewFinder(s Store, t Target) *Finder { return &Finder{store: s, target: t, size: maxListed} }

// Progress is how many commits have been visited and how many dirtrees opened. It
// may be called at any time.
func (f *Finder) Progress() (commits, dirtrees int64) { return f.commits.Load(), f.opened.Load() }

// History finds the target in a commit and all before it, sorted by path. With an
// error it returns what the commits before the failure hold, but nothing when ctx
// has ended. That a history is shallow is no error.
func (f *Finder) History(ctx context.Context, from object.Checksum) ([]Found, error) {
	s := search{ctx: ctx, open: map[string]*Found{}, found: map[string]*Found{}, size: &f.size}
	err := Walk(ctx, f.store, from, func(c Commit) (bool, error) {
		f.commits.Add(1)
		m, err := f.lookAt(ctx, c)
		if err == nil {
			err = s.next(c, m)
		}
		if err != nil && ctx.Err() == nil {
			err = inCommit(c.Checksum, err)
		}
		return true, err
	})
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	shallow := errors.Is(err, ErrShallow)
	if shallow {
		err = nil
	}
	return s.end(shallow), err
}

// lookAt finds what a commit holds. Its root is an item without a name.
func (f *Finder) lookAt(ctx context.Context, c Commit) (*match, error) {
	below, err := f.look(ctx, c.Root, 0)
	if err != nil {
		return nil, err
	}
	root := item{below: below, meant: f.target.is(c.Checksum) || f.target.is(c.Root) || f.target.is(c.RootMeta)}
	if !root.meant && below == nil {
		return nil, nil
	}
	return (&match{items: []item{root}}).seal(), nil
}

// search follows one history.
type search struct {
	ctx   context.Context
	held  *match            // by the commit that was visited last
	last  Brief             // that commit
	open  map[string]*Found // what it holds: the last run of each is not over
	found map[string]*Found
	count int     // commits
	size  *budget // left for found
}

// next goes to the next older commit.
func (s *search) next(c Commit, m *match) error {
	brief := NewBrief(c)
	err := compare(s.ctx, "", s.held, m, func(path string, came bool) error {
		path = clean(path)
		if !came {
			s.closeRun(path)
			return nil
		}
		return s.openRun(path, brief)
	})
	s.held, s.last = m, brief
	s.count++
	return err
}

// clean takes the root's name, which is none, out of a path.
func clean(path string) string { return "/" + strings.TrimLeft(path, "/") }

// openRun begins a run with its newest commit. Until it is over, Commits is how
// many commits are newer.
func (s *search) openRun(path string, newest Brief) error {
	f := s.found[path]
	if f == nil {
		f = &Found{Path: path}
		s.found[path] = f
	}
	f.Runs = append(f.Runs, Run{Last: newest, Commits: s.count})
	s.open[path] = f
	return s.size.take(path, perFound)
}

// closeRun ends a run with the commit that was visited last.
func (s *search) closeRun(path string) *Run {
	f := s.open[path]
	delete(s.open, path)
	r := &f.Runs[len(f.Runs)-1]
	r.First, r.Commits = s.last, s.count-r.Commits
	return r
}

// end ends all runs.
func (s *search) end(shallow bool) []Found {
	for path := range s.open {
		s.closeRun(path).Shallow = shallow
	}
	list := make([]Found, 0, len(s.found))
	for _, path := range slices.Sorted(maps.Keys(s.found)) {
		list = append(list, *s.found[path])
	}
	return list
}

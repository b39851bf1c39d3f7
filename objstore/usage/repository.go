package usage

import (
	"context"

	"deployfs/objstore"
	"deployfs/objstore/object"
	"deployfs/objstore/prune"
	"deployfs/objstore/reach"
)

// Report is how much of the disk a repository takes.
type Report struct {
	Refs        []Ref  // local ones and those of remotes by name, then mirrored ones
	Commits     Amount // among the objects
	Reachable   Amount // objects that refs need
	Unreachable Amount // objects that they don't
	Prune       Prune
	Other       Other
}

// Ref is what one ref needs, with the whole history that is here.
type Ref struct {
	objstore.Ref
	Commits   int
	Objects   Amount
	Exclusive Amount // of these, what no other ref needs
}

// Prune is what `prune --refs-only --depth=DEPTH` would delete.
type Prune struct {
	Depth    int    // parents of each ref's commit that are kept; [reach.AllParents] for all
	Objects  Amount // as prune counts them
	Detached Amount // detached metadata of commits that go
	Deltas   Amount // files of static deltas that lead to commits that are not here, or go
	InUse    Amount // objects that only mounts keep: ostree would delete them, too
}

// Options says what a report is to tell.
type Options struct {
	Depth   int               // of Prune
	Mounted []object.Checksum // commits that are in use
	Count   *Count            // may be nil
}

// Repository looks at all objects of a repository. A ref that is an alias of
// another is no ref of its own.
func Repository(ctx context.Context, repo *objstore.Repo, o Options) (r Report, err error) {
	if o.Count == nil {
		o.Count = new(Count)
	}
	tips, err := reach.Tips(repo)
	if err != nil {
		return r, err
	}
	s := &survey{Options: o, tips: withoutAliases(tips)}
	if s.graph, err = newGraph(ctx, repo, o.Count); err != nil {
		return r, err
	}
	if err := s.walk(); err != nil {
		return r, err
	}
	s.paintCommits()
	if err := s.spread(); err != nil {
		return r, err
	}
	s.paintLinks()
	measured, err := s.measure()
	if err != nil {
		return r, err
	}
	r = s.report(measured)
	if err := s.pruned(&r.Prune); err != nil {
		return r, err
	}
	r.Other, err = others(ctx, repo)
	return r, err
}

// withoutAliases leaves out the refs that stand for others of the list.
func withoutAliases(tips []reach.Tip) (list []reach.Tip) {
	names := map[string]bool{}
	for _, tip := range tips {
		names[tip.Collection+"\x00"+tip.Remote+"\x00"+tip.Ref.Ref] = true
	}
	for _, tip := range tips {
		if tip.Alias == "" || !names[tip.Collection+"\x00"+tip.Remote+"\x00"+tip.Alias] {
			list = append(list, tip)
		}
	}
	return list
}

// survey is one look at a repository. The colours are the refs, by their place
// in tips, then one for what the depth keeps, and one for what is in use.
type survey struct {
	*graph
	Options
	tips []reach.Tip
}

func (s *survey) kept() int  { return len(s.tips) }
func (s *survey) inUse() int { return len(s.tips) + 1 }

func (s *survey) walk() error {
	for _, tip := range s.tips {
		if err := s.walker.History(tip.Commit, reach.AllParents); err != nil {
			return err
		}
	}
	for _, sum := range s.Mounted {
		if err := s.walker.History(sum, 0); err != nil {
			return err
		}
	}
	return nil
}

// paintCommits gives commits the colours of the refs that lead to them, and says
// which are kept.
func (s *survey) paintCommits() {
	s.paint()
	colours := s.colours[object.KindCommit]
	further := make([]int, len(s.commits)) // one more than how many parents are kept from there on
	for colour, tip := range s.tips {
		if n, ok := s.number(tip.Commit); ok {
			colours[n] = s.palette.union(colours[n], s.palette.only(colour))
			further[n] = s.Depth
			if s.Depth != reach.AllParents {
				further[n]++
			}
		}
	}
	fromChildren(s.parents(), func(child, parent int) {
		colours[parent] = s.palette.union(colours[parent], colours[child])
		if further[child] == reach.AllParents {
			further[parent] = reach.AllParents
		}
		further[parent] = max(further[parent], further[child]-1)
	})
	kept, inUse := s.palette.only(s.kept()), s.palette.only(s.inUse())
	for n := range colours {
		if further[n] > 0 {
			colours[n] = s.palette.union(colours[n], kept)
		}
	}
	for _, sum := range s.Mounted {
		if n, ok := s.number(sum); ok {
			colours[n] = s.palette.union(colours[n], inUse)
		}
	}
}

// paintLinks has payload links go with their targets.
func (s *survey) paintLinks() {
	links := s.colours[object.KindPayloadLink]
	s.held.Each(object.KindPayloadLink, func(n int, sum object.Checksum) error {
		target, ok := prune.LinkTarget(s.repo, object.Name{Checksum: sum, Kind: object.KindPayloadLink})
		if at, held := s.held.Find(target); ok && held {
			links[n] = s.colours[object.KindFile][at]
		}
		return nil
	})
}

// report adds up what the sets of colours mean.
func (s *survey) report(measured sums) (r Report) {
	for _, tip := range s.tips {
		r.Refs = append(r.Refs, Ref{Ref: tip.Ref})
	}
	r.Prune.Depth = s.Depth
	for i, objects := range measured.all {
		set, refs := set(i), 0
		r.Commits.add(measured.commits[i])
		s.palette.each(set, len(s.tips), func(colour int) {
			refs++
			r.Refs[colour].Objects.add(objects)
			r.Refs[colour].Commits += measured.commits[i].Count
		})
		if refs == 1 {
			s.palette.each(set, len(s.tips), func(colour int) { r.Refs[colour].Exclusive.add(objects) })
		}
		if refs > 0 {
			r.Reachable.add(objects)
		} else {
			r.Unreachable.add(objects)
		}
		switch {
		case s.palette.has(set, s.kept()):
		case s.palette.has(set, s.inUse()):
			r.Prune.InUse.add(objects)
		default:
			r.Prune.Objects.add(objects)
		}
	}
	return r
}

// stays reports whether a prune leaves a commit of the repository itself.
func (s *survey) stays(n int) bool {
	set := s.colours[object.KindCommit][n]
	return s.palette.has(set, s.kept()) || s.palette.has(set, s.inUse())
}

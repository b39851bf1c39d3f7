package usage

import (
	"context"
	"errors"
	"fmt"

	"deployfs/objstore"
	"deployfs/objstore/object"
	"deployfs/objstore/reach"
	"deployfs/objstore/tree"
)

// maxDepth bounds how deep directories can lie: a path of the kernel has no more.
const maxDepth = 4096

// maxLines bounds the lines of a query.
const maxLines = 1 << 19

var errLines = errors.New("too many directories to list")

// Query says which trees are looked at, and how closely.
type Query struct {
	Commits  []object.Checksum
	Paths    []string   // of each commit; none means the root, and one below another is left out
	Places   [][]string // by a commit's place, instead of Paths; may be nil
	MaxDepth int        // directories that so far below a path have a line of their own
	Alone    bool       // look at no other commit: all is exclusive
	Count    *Count     // may be nil
}

// Line is how large a directory is with all below it, or a file.
type Line struct {
	Commit    int // place in [Query.Commits]
	Path      string
	Top       bool   // it is one of the paths of the query
	Apparent  uint64 // bytes of files and link targets, each as often as it occurs
	Objects   int    // of the repository itself, that no line of the commit counted before
	Disk      uint64 // bytes of the blocks that these take
	Exclusive uint64 // of these, what no other commit that refs lead to needs, nor another of the query
}

// Shared is what of Disk other commits need, too.
func (l *Line) Shared() uint64 { return l.Disk - l.Exclusive }

func (l *Line) add(m Line) {
	l.Apparent = saturated(l.Apparent, m.Apparent)
	l.Objects += m.Objects
	l.Disk += m.Disk
	l.Exclusive += m.Exclusive
}

// saturated is a sum that stays at the largest number: a tree that holds itself
// many times over can be larger than anything.
func saturated(a, b uint64) uint64 {
	if sum := a + b; sum >= a && sum < unknownSize {
		return sum
	}
	return unknownSize - 1
}

// unknownSize stands for a size that was not looked at.
const unknownSize = 1<<64 - 1

// Trees calls emit for each line: those of one commit after the other, those of a
// directory's subdirectories before its own. A root's line counts the commit
// object, too. The total counts each object once; what is exclusive in it no
// commit outside of the query needs. Few objects can make very many directories:
// half a million lines are too many.
func Trees(ctx context.Context, repo *objstore.Repo, q Query, emit func(Line) error) (total Line, err error) {
	if q.Count == nil {
		q.Count = new(Count)
	}
	if len(q.Paths) == 0 {
		q.Paths = []string{"/"}
	}
	left := maxLines
	m := &meter{Query: q, emit: func(l Line) error {
		if left--; left < 0 {
			return errLines
		}
		return emit(l)
	}}
	if m.graph, err = newGraph(ctx, repo, q.Count); err != nil {
		return total, err
	}
	tops, err := m.lookup()
	if err != nil {
		return total, err
	}
	if err := m.walk(); err != nil {
		return total, err
	}
	if err := m.measureContent(tops); err != nil {
		return total, err
	}
	for i, entries := range tops {
		if err := m.commit(i, entries); err != nil {
			return total, err
		}
	}
	return m.total, nil
}

// meter is one query. The colours are its commits, by their places, then one for
// all other commits.
type meter struct {
	*graph
	Query
	emit     func(Line) error
	own      []set         // by a commit's place, what is exclusive to it
	sizes    []contentSize // by number
	apparent []uint64      // of all below a dirtree, by number
	here     marks         // what the lines of this commit have counted
	all      marks         // what those of any commit have
	total    Line
}

// lookup finds what the paths name in each commit.
func (m *meter) lookup() ([][]tree.Entry, error) {
	tops := make([][]tree.Entry, len(m.Commits))
	for i, sum := range m.Commits {
		c, err := m.repo.Commit(sum)
		if err != nil {
			return nil, err
		}
		paths := m.Paths
		if m.Places != nil {
			paths = m.Places[i]
		}
		for _, path := range paths {
			e, err := tree.Lookup(m.repo, tree.Root(c), path)
			if err != nil {
				return nil, fmt.Errorf("commit %s: %w", sum, err)
			}
			tops[i] = append(tops[i], e)
		}
		tops[i] = outermost(tops[i])
	}
	return tops, nil
}

// outermost leaves out entries that are below another one, or the same as one before.
func outermost(list []tree.Entry) (kept []tree.Entry) {
	known, done := map[string]bool{}, map[string]bool{}
	for _, e := range list {
		known[e.Path] = true
	}
	for _, e := range list {
		inner := e.Path != "/" && known["/"]
		for i := 1; i < len(e.Path) && !inner; i++ {
			inner = e.Path[i] == '/' && known[e.Path[:i]]
		}
		if !inner && !done[e.Path] {
			kept = append(kept, e)
			done[e.Path] = true
		}
	}
	return kept
}

// walk finds out which objects commits share.
func (m *meter) walk() error {
	for _, sum := range m.Commits {
		if err := m.walker.History(sum, 0); err != nil {
			return err
		}
	}
	if !m.Alone {
		tips, err := reach.Tips(m.repo)
		if err != nil {
			return err
		}
		for _, tip := range tips {
			if err := m.walker.History(tip.Commit, reach.AllParents); err != nil {
				return err
			}
		}
	}
	m.paint()
	colours := m.colours[object.KindCommit]
	for i, sum := range m.Commits {
		n, _ := m.number(sum)
		if colours[n] == 0 { // or it was named before
			colours[n] = m.palette.only(i)
		}
		m.own = append(m.own, colours[n])
	}
	other := m.palette.only(len(m.Commits))
	for n := range colours {
		if colours[n] == 0 {
			colours[n] = other
		}
	}
	return m.spread()
}

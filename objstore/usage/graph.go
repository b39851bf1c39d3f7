package usage

import (
	"context"
	"errors"
	"io/fs"
	"sync/atomic"

	"deployfs/objstore"
	"deployfs/objstore/object"
	"deployfs/objstore/reach"
)

// Count is how far the work has come. It may be read at any time.
type Count struct {
	Commits     atomic.Int64 // that were read
	Directories atomic.Int64 // that were found
	Spread      atomic.Int64 // directories that have passed on their colours
	Measured    atomic.Int64 // objects whose size is known
}

// graph is what commits need, and the colours of it.
type graph struct {
	ctx     context.Context
	repo    *objstore.Repo
	held    *reach.Inventory
	walker  *reach.Walker
	count   *Count
	commits []commit // by number
	ways    []uint32 // by a dirtree's number: those that lead there and were not followed yet
	palette *palette
	colours [object.KindPayloadLink + 1][]set // by kind and number
}

// commit is one that was reached.
type commit struct {
	parent, tree, meta object.Checksum
	reached            bool
}

func newGraph(ctx context.Context, repo *objstore.Repo, count *Count) (*graph, error) {
	held, err := reach.Take(repo, false)
	if err != nil {
		return nil, err
	}
	g := &graph{ctx: ctx, repo: repo, held: held, count: count, walker: reach.NewWalker(ctx, repo, held, true)}
	g.walker.OnCommit = func(n int, _ object.Checksum, c object.Commit) {
		g.commits = grown(g.commits, n)
		g.commits[n] = commit{c.Parent, c.Root, c.RootMeta, true}
		count.Commits.Add(1)
	}
	g.walker.OnTree = func(n int) {
		g.ways = grown(g.ways, n)
		if g.ways[n]++; g.ways[n] == 1 {
			count.Directories.Add(1)
		}
	}
	return g, nil
}

// grown is list with room for number n.
func grown[T any](list []T, n int) []T {
	if n < len(list) {
		return list
	}
	return append(list, make([]T, n+1-len(list))...)
}

// paint makes everything that was walked ready for colours.
func (g *graph) paint() {
	g.palette = newPalette()
	for kind := range g.colours {
		kind := object.Kind(kind)
		n := g.held.Len(kind)
		if kind == object.KindCommit || kind == object.KindDirTree {
			n = g.walker.Len(kind)
		}
		g.colours[kind] = make([]set, n)
	}
	g.commits = grown(g.commits, g.walker.Len(object.KindCommit)-1)
	g.ways = grown(g.ways, g.walker.Len(object.KindDirTree)-1)
}

// number is a commit's; false for one that was not reached.
func (g *graph) number(sum object.Checksum) (n int, ok bool) {
	n, ok = g.walker.Number(object.Name{Checksum: sum, Kind: object.KindCommit})
	return n, ok && g.commits[n].reached
}

// parents gives each commit's parent's number, -1 for none that was reached.
func (g *graph) parents() []int32 {
	list := make([]int32, len(g.commits))
	for i, c := range g.commits {
		list[i] = -1
		if n, ok := g.number(c.parent); ok && c.reached {
			list[i] = int32(n)
		}
	}
	return list
}

// fromChildren visits commits and their parents, a commit before its parent.
func fromChildren(parents []int32, visit func(child, parent int)) {
	children := make([]int32, len(parents))
	for _, p := range parents {
		if p >= 0 {
			children[p]++
		}
	}
	for i := range parents {
		if children[i] != 0 {
			continue
		}
		children[i] = -1 // it is on its way
		for c := i; parents[c] >= 0; {
			p := int(parents[c])
			visit(c, p)
			if children[p]--; children[p] > 0 {
				break
			}
			children[p] = -1
			c = p
		}
	}
}

// spread gives every tree the colours of the commits that need it.
func (g *graph) spread() error {
	var ready []object.Checksum
	for n, c := range g.commits {
		if c.reached {
			ready = g.pass(ready, g.colours[object.KindCommit][n], c.tree, c.meta)
		}
	}
	for len(ready) > 0 {
		if err := g.ctx.Err(); err != nil {
			return err
		}
		next := ready[len(ready)-1]
		ready = ready[:len(ready)-1]
		tree, err := g.repo.DirTree(next)
		if errors.Is(err, fs.ErrNotExist) {
			continue // of a partial commit, or the walk had failed
		}
		if err != nil {
			return err
		}
		ready = g.entries(ready, next, tree)
		g.count.Spread.Add(1)
	}
	return nil
}

// entries gives what is in a directory its colours.
func (g *graph) entries(ready []object.Checksum, sum object.Checksum, tree object.DirTree) []object.Checksum {
	n, _ := g.walker.Number(object.Name{Checksum: sum, Kind: object.KindDirTree})
	s := g.colours[object.KindDirTree][n]
	for i := range tree.NumFiles() {
		_, content := tree.File(i)
		g.add(object.Name{Checksum: content, Kind: object.KindFile}, s)
	}
	for i := range tree.NumDirs() {
		_, sub, meta := tree.Dir(i)
		ready = g.pass(ready, s, sub, meta)
	}
	return ready
}

// pass follows one way to a directory, which is ready when it was the last one.
func (g *graph) pass(ready []object.Checksum, s set, tree, meta object.Checksum) []object.Checksum {
	g.add(object.Name{Checksum: meta, Kind: object.KindDirMeta}, s)
	n, ok := g.walker.Number(object.Name{Checksum: tree, Kind: object.KindDirTree})
	if !ok || n >= len(g.ways) || g.ways[n] == 0 {
		return ready
	}
	known := &g.colours[object.KindDirTree][n]
	*known = g.palette.union(*known, s)
	if g.ways[n]--; g.ways[n] == 0 {
		ready = append(ready, tree)
	}
	return ready
}

// add gives an object that is held colours.
func (g *graph) add(name object.Name, s set) {
	if n, ok := g.held.Find(name); ok {
		known := &g.colours[name.Kind][n]
		*known = g.palette.union(*known, s)
	}
}

package reach

import (
	"context"
	"errors"
	"io/fs"
	"math"

	"deployfs/objstore"
	"deployfs/objstore/object"
)

// AllParents is the depth of a whole history.
const AllParents = math.MaxInt

// Walker marks what commits need.
type Walker struct {
	OnCommit func(n int, sum object.Checksum, c object.Commit) // told of each commit that is reached, once; may be nil
	OnTree   func(n int)                                       // told of each way by which a dirtree is reached; may be nil
	OnLeaf   func(name object.Name, held bool)                 // told of each file and dirmeta that is needed, once, and whether the inventory has it; may be nil
	OnFail   func(name object.Name, err error) error           // told of a commit or dirtree that can't be read; the walk ends with what it returns, or goes on past it; may be nil

	ctx      context.Context
	repo     *objstore.Repo
	held     *Inventory
	trees    bool                        // go into trees, not only along histories
	followed []int                       // by commit: one more than how many parents were followed from there, 0 for not reached
	away     [object.KindCommit + 1]away // what is needed and not held: commits and dirtrees of parent repositories, leaves when there is OnLeaf
	stack    []object.Checksum           // dirtrees still to be read
	walked   int                         // commits and dirtrees that were reached
}

// NewWalker starts with nothing reached. Without trees only commits are.
func NewWalker(ctx context.Context, repo *objstore.Repo, held *Inventory, trees bool) *Walker {
	return &Walker{ctx: ctx, repo: repo, held: held, trees: trees, followed: make([]int, held.Len(object.KindCommit))}
}

// Number is the number of a commit or dirtree that was reached or is held: that
// in the inventory, or a number from its length on. False: neither of both. With
// OnLeaf every object has one that was needed.
func (w *Walker) Number(name object.Name) (n int, ok bool) {
	if n, ok = w.held.Find(name); ok {
		return n, true
	}
	n, ok = w.away[name.Kind].find(name.Checksum)
	return w.held.Len(name.Kind) + n, ok
}

// Len is how many numbers there are of a kind.
func (w *Walker) Len(kind object.Kind) int { return w.held.Len(kind) + len(w.away[kind].sums) }

// Walked is how many commits and dirtrees were reached.
func (w *Walker) Walked() int { return w.walked }

// Reached reports whether a commit was reached.
func (w *Walker) Reached(commit object.Checksum) bool { return w.depthOf(commit) != 0 }

func (w *Walker) depthOf(commit object.Checksum) int {
	if n, ok := w.Number(object.Name{Checksum: commit, Kind: object.KindCommit}); ok {
		return w.followed[n]
	}
	return 0
}

// reach marks a commit or dirtree. First tells whether it was not reached before.
func (w *Walker) reach(name object.Name) (n int, first bool) {
	n, first, held := w.held.Need(name)
	if !held {
		n, first = w.away[name.Kind].add(name.Checksum)
		n += w.held.Len(name.Kind)
	}
	if first {
		w.walked++
	}
	return n, first
}

// History marks a commit, so many of its parents, and what they need. Absence
// ends a history: repositories need not hold all of it. A commit that was reached
// is walked on from when that leads further now; with ostree it depends on the
// order of the walks.
func (w *Walker) History(sum object.Checksum, depth int) error {
	for {
		before := w.depthOf(sum)
		if before == AllParents || before > depth {
			return nil
		}
		commit, err := w.repo.Commit(sum)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return w.fail(object.Name{Checksum: sum, Kind: object.KindCommit}, err)
		}
		if err := w.commit(sum, commit, depth); err != nil {
			return err
		}
		if depth == 0 || commit.Parent.IsZero() {
			return nil
		}
		if depth != AllParents {
			depth--
		}
		sum = commit.Parent
	}
}

// Younger marks a commit, and its parents as long as each commit on the way is
// not older than since, in seconds since 1970.
func (w *Walker) Younger(sum object.Checksum, since int64) error {
	if err := w.History(sum, 0); err != nil {
		return err
	}
	for {
		commit, err := w.repo.Commit(sum)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if since > 0 && commit.Timestamp < uint64(since) {
			return nil
		}
		if err := w.History(sum, 0); err != nil || commit.Parent.IsZero() {
			return err
		}
		sum = commit.Parent
	}
}

// commit marks a commit and, when it was not reached before, its tree.
func (w *Walker) commit(sum object.Checksum, commit object.Commit, depth int) error {
	n, first := w.reach(object.Name{Checksum: sum, Kind: object.KindCommit})
	if n == len(w.followed) {
		w.followed = append(w.followed, 0)
	}
	w.followed[n] = depth + 1
	if depth == AllParents {
		w.followed[n] = AllParents
	}
	if !first {
		return nil
	}
	if w.OnCommit != nil {
		w.OnCommit(n, sum, commit)
	}
	if !w.trees {
		return w.ctx.Err()
	}
	w.dir(commit.Root, commit.RootMeta)
	return w.descend(w.repo.IsPartial(sum))
}

// descend reads what is on the stack. Of a partial commit directories may be absent.
func (w *Walker) descend(partial bool) error {
	for len(w.stack) > 0 {
		if err := w.ctx.Err(); err != nil {
			return err
		}
		next := w.stack[len(w.stack)-1]
		w.stack = w.stack[:len(w.stack)-1]
		tree, err := w.repo.DirTree(next)
		if partial && errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			if err := w.fail(object.Name{Checksum: next, Kind: object.KindDirTree}, err); err != nil {
				return err
			}
			continue
		}
		w.entries(tree)
	}
	return nil
}

// fail is what a walk does about an object that it can't read.
func (w *Walker) fail(name object.Name, err error) error {
	if w.OnFail == nil {
		return err
	}
	return w.OnFail(name, err)
}

func (w *Walker) entries(tree object.DirTree) {
	for i := range tree.NumFiles() {
		_, content := tree.File(i)
		w.leaf(object.Name{Checksum: content, Kind: object.KindFile})
	}
	for i := range tree.NumDirs() {
		_, sub, meta := tree.Dir(i)
		w.dir(sub, meta)
	}
}

// leaf marks a file or a dirmeta. Those that are not held are only remembered for
// whoever wants to know of them.
func (w *Walker) leaf(name object.Name) {
	_, first, held := w.held.Need(name)
	if w.OnLeaf == nil {
		return
	}
	if !held {
		_, first = w.away[name.Kind].add(name.Checksum)
	}
	if first {
		w.OnLeaf(name, held)
	}
}

// dir marks a directory, and puts it on the stack when it was not there before.
func (w *Walker) dir(tree, meta object.Checksum) {
	w.leaf(object.Name{Checksum: meta, Kind: object.KindDirMeta})
	n, first := w.reach(object.Name{Checksum: tree, Kind: object.KindDirTree})
	if first {
		w.stack = append(w.stack, tree)
	}
	if w.OnTree != nil {
		w.OnTree(n)
	}
}

package prune

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

// walker marks what commits need.
type walker struct {
	ctx     context.Context
	repo    *objstore.Repo
	held    *inventory
	trees   bool                         // go into trees, not only along histories
	reached map[object.Checksum]int      // commits, and how many parents were followed from there
	away    map[object.Checksum]struct{} // dirtrees of parent repositories that were read
	stack   []object.Checksum            // dirtrees still to be read
}

func newWalker(ctx context.Context, repo *objstore.Repo, held *inventory, trees bool) *walker {
	return &walker{
		ctx: ctx, repo: repo, held: held, trees: trees,
		reached: map[object.Checksum]int{}, away: map[object.Checksum]struct{}{},
	}
}

// history marks a commit, so many of its parents, and what they need. Absence
// ends a history: repositories need not hold all of it. A commit that was reached
// is walked on from when that leads further now; with ostree it depends on the
// order of the walks.
func (w *walker) history(sum object.Checksum, depth int) error {
	for {
		followed, again := w.reached[sum]
		if again && followed >= depth {
			return nil
		}
		commit, err := w.repo.Commit(sum)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		w.reached[sum] = depth
		if !again {
			if err := w.commit(sum, commit); err != nil {
				return err
			}
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

// younger marks a commit, and its parents as long as each commit on the way is
// not older than since, in seconds since 1970.
func (w *walker) younger(sum object.Checksum, since int64) error {
	if err := w.history(sum, 0); err != nil {
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
		if err := w.history(sum, 0); err != nil || commit.Parent.IsZero() {
			return err
		}
		sum = commit.Parent
	}
}

// commit marks a commit and its tree. Of a partial commit directories may be absent.
func (w *walker) commit(sum object.Checksum, commit object.Commit) error {
	w.held.need(object.Name{Checksum: sum, Kind: object.KindCommit})
	if !w.trees {
		return w.ctx.Err()
	}
	partial := w.repo.IsPartial(sum)
	w.dir(commit.Root, commit.RootMeta)
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
			return err
		}
		w.entries(tree)
	}
	return nil
}

func (w *walker) entries(tree object.DirTree) {
	for i := range tree.NumFiles() {
		_, content := tree.File(i)
		w.held.need(object.Name{Checksum: content, Kind: object.KindFile})
	}
	for i := range tree.NumDirs() {
		_, sub, meta := tree.Dir(i)
		w.dir(sub, meta)
	}
}

// dir marks a directory, and puts it on the stack when it was not there before.
func (w *walker) dir(tree, meta object.Checksum) {
	w.held.need(object.Name{Checksum: meta, Kind: object.KindDirMeta})
	first, held := w.held.need(object.Name{Checksum: tree, Kind: object.KindDirTree})
	if !held {
		_, known := w.away[tree]
		w.away[tree] = struct{}{}
		first = !known
	}
	if first {
		w.stack = append(w.stack, tree)
	}
}

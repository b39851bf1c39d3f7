package transaction

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"deployfs/objstore"
	"deployfs/objstore/object"
	"deployfs/objstore/refs"
	"deployfs/objstore/summary"
)

// SetRef has a ref lead to a commit once the transaction is committed. Without a
// commit, that is with zero, the ref is deleted.
func (t *Transaction) SetRef(name refs.Name, commit object.Checksum) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.refs[name] = commit
}

// moveRefs makes the refs lead to where they are to lead.
func (t *Transaction) moveRefs(ctx context.Context) error {
	return moveRefs(ctx, t.repo, t.refs)
}

// UpdateRefs has refs lead to commits that are there; zero deletes a ref. When it
// fails, refs may have been deleted, and those that come first, by name, moved. The
// summary follows, where the repository wants that.
func UpdateRefs(ctx context.Context, repo *objstore.Repo, set map[refs.Name]object.Checksum) error {
	lock, err := repo.LockShared(ctx)
	if err != nil {
		return err
	}
	return errors.Join(moveRefs(ctx, repo, set), lock.Close())
}

func moveRefs(ctx context.Context, repo *objstore.Repo, set map[refs.Name]object.Checksum) error {
	if len(set) == 0 {
		return nil
	}
	order := slices.SortedFunc(maps.Keys(set), func(a, b refs.Name) int { return strings.Compare(a.Path(), b.Path()) })
	var gone []refs.Name
	for _, name := range order {
		if set[name].IsZero() {
			gone = append(gone, name)
		}
	}
	if err := repo.DeleteRefs(gone...); err != nil {
		return err
	}
	for _, name := range order {
		if commit := set[name]; !commit.IsZero() {
			if err := repo.SetRef(name, commit); err != nil {
				return err
			}
		}
	}
	return summary.Auto(ctx, repo)
}

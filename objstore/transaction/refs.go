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

// UpdateRefs has refs lead to commits that are there; zero deletes a ref. Those
// that come first, by name, may have been moved when it fails. The summary follows, where
// the repository wants that.
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
	for _, name := range order {
		var err error
		if commit := set[name]; commit.IsZero() {
			err = repo.DeleteRef(name)
		} else {
			err = repo.SetRef(name, commit)
		}
		if err != nil {
			return err
		}
	}
	return summary.Auto(ctx, repo)
}

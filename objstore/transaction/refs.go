package transaction

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"deployfs/objstore"
	"deployfs/objstore/gvariant"
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

// DecideRef is [Transaction.SetRef] for a commit that depends on where refs lead: decide
// is called when nobody else moves any, but for ostree, and everything is written. It may
// write a commit by [Transaction.WriteLateCommit].
func (t *Transaction) DecideRef(name refs.Name, decide func() (object.Checksum, error)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.undecided[name] = decide
}

// decide finds the refs that were not decided.
func (t *Transaction) decide() error {
	for name, decide := range t.undecided {
		commit, err := decide()
		if err != nil {
			return err
		}
		t.refs[name] = commit
	}
	return nil
}

// moveRefs makes the refs lead to where they are to lead.
func (t *Transaction) moveRefs(ctx context.Context) error {
	if len(t.refs)+len(t.undecided) == 0 {
		return nil
	}
	return moveRefs(ctx, t.repo, t.refs, t.decide)
}

// WriteLateCommit writes a commit, whose tree is there, when the transaction's objects
// have got their places, and detached metadata, if there is any.
func (t *Transaction) WriteLateCommit(data []byte, detached []gvariant.Value) (object.Checksum, error) {
	name := object.Name{Checksum: sha256.Sum256(data), Kind: object.KindCommit}
	objects, path := t.repo.ObjectFile(name)
	err := makeBucket(objects, path)
	if err == nil {
		err = t.sync()
	}
	if err == nil {
		err = t.repo.Replace(objects, path, data, 0o644)
	}
	if err == nil {
		err = t.exhume(name.Checksum)
	}
	if err == nil && len(detached) > 0 {
		err = WriteDetached(t.repo, name.Checksum, gvariant.NewArray("{sv}", detached...))
	}
	if err != nil {
		err = fmt.Errorf("writing object %s: %w", name, err)
	}
	return name.Checksum, err
}

// UpdateRefs has refs lead to commits that are there; zero deletes a ref. When it
// fails, refs may have been deleted, and those that come first, by name, moved. The
// summary follows, where the repository wants that.
func UpdateRefs(ctx context.Context, repo *objstore.Repo, set map[refs.Name]object.Checksum) error {
	lock, err := repo.LockShared(ctx)
	if err != nil {
		return err
	}
	if len(set) > 0 {
		err = moveRefs(ctx, repo, set, func() error { return nil })
	}
	return errors.Join(err, lock.Close())
}

// moveRefs moves refs when decide has had the last word on where, and then the summary.
func moveRefs(ctx context.Context, repo *objstore.Repo, set map[refs.Name]object.Checksum, decide func() error) error {
	update, err := repo.BeginUpdate(ctx)
	if err != nil {
		return err
	}
	if err = decide(); err == nil {
		err = placeRefs(repo, set)
	}
	if err := errors.Join(err, update.Close()); err != nil {
		return err
	}
	return summary.Auto(ctx, repo)
}

func placeRefs(repo *objstore.Repo, set map[refs.Name]object.Checksum) error {
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
	return nil
}

package index

import (
	"context"
	"fmt"

	"deployfs/objstore"
	"deployfs/objstore/object"
)

// Make returns the index of root, which it builds and keeps unless there is one.
// It also removes the indexes of trees that are no longer in the repository.
func (s *Store) Make(ctx context.Context, repo *objstore.Repo, root Root) (*Mapped, error) {
	defer s.Sweep(repo) // what can't be removed does no harm
	if m, err := s.Open(root); err == nil {
		return m, nil
	}
	if s.own == nil {
		return nil, ErrNowhere
	}
	data, err := Build(ctx, repo, root, s.flavour)
	if err != nil {
		return nil, err
	}
	if err := s.put(root, data); err != nil {
		return nil, err
	}
	return s.Open(root)
}

// Sweep removes the indexes of trees that the repository no longer holds, those
// of repositories that are gone, and what an interrupted Make left behind.
func (s *Store) Sweep(repo *objstore.Repo) error {
	if s.own == nil {
		return nil
	}
	names, err := s.own.names()
	if err != nil {
		return fmt.Errorf("indexes of %s: %w", repo.Path(), err)
	}
	for _, name := range names {
		tree, ok := treeOf(name)
		if !ok {
			s.own.removeOld(name)
			continue
		}
		known, err := repo.HasObject(object.Name{Checksum: tree, Kind: object.KindDirTree})
		if err != nil {
			return err
		}
		if !known {
			s.own.remove(name) // or somebody else did
		}
	}
	return sweepCache(s.cache)
}

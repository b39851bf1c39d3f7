package main

import (
	"fmt"

	"deployfs/objstore"
	"deployfs/objstore/refs"
)

// collectedRefs lists the refs that belong to a collection: the repository's own, those that it
// mirrors, and those of remotes with a collection. A prefix is a collection here.
func collectedRefs(repo *objstore.Repo, prefix string, given bool) (rows []refRow, err error) {
	if given {
		if err := refs.CheckCollection(prefix); err != nil {
			return nil, fmt.Errorf("Listing refs: %w", err)
		}
	}
	list, err := repo.CollectedRefs(prefix)
	for _, ref := range list {
		r := newRefRow(ref)
		r.shown = ref.Ref
		rows = append(rows, r)
	}
	return rows, err
}

package main

import (
	"fmt"
	"slices"
	"strings"

	"deployfs/objstore"
	"deployfs/objstore/refs"
)

// collectedRefs lists the refs that belong to a collection: the repository's own, those that it
// mirrors, and those of remotes with a collection. A prefix is a collection here.
func collectedRefs(repo *objstore.Repo, prefix string, given bool) ([]refRow, error) {
	if given {
		if err := refs.CheckCollection(prefix); err != nil {
			return nil, fmt.Errorf("Listing refs: %w", err)
		}
	}
	own, err := repo.Refs()
	if err != nil {
		return nil, err
	}
	mirrored, err := repo.MirroredRefs()
	if err != nil {
		return nil, err
	}
	var rows []refRow
	for _, ref := range append(own, mirrored...) {
		r := newRefRow(ref)
		r.shown = ref.Ref
		if r.Collection == "" {
			r.Collection = collectionOf(repo, ref.Remote)
		}
		if r.Collection != "" && (!given || r.Collection == prefix) {
			rows = append(rows, r)
		}
	}
	slices.SortStableFunc(rows, func(a, b refRow) int {
		return strings.Compare(a.Collection+"\x00"+a.shown, b.Collection+"\x00"+b.shown)
	})
	return rows, nil
}

// collectionOf is the collection of a remote's refs, or of the repository's own.
func collectionOf(repo *objstore.Repo, remote string) string {
	group := "core"
	if remote != "" {
		group = `remote "` + remote + `"`
	}
	id, _ := repo.Config().Get(group, "collection-id")
	return id
}

package main

import (
	"slices"

	"deployfs/cmd/internal/cli"
	"deployfs/objstore/refs"
	"deployfs/objstore/remote"
)

// checkPairs fails unless args are pairs of a collection and a ref.
func checkPairs(args []string) error {
	switch {
	case len(args) < 2:
		return &cli.UsageError{Text: "At least one COLLECTION-ID REF pair must be specified"}
	case len(args)%2 == 1:
		return &cli.UsageError{Text: "Only complete COLLECTION-ID REF pairs may be specified"}
	}
	return nil
}

// collectionRefs reads pairs of a collection and a ref.
func collectionRefs(pairs []string) (names []refs.Name, err error) {
	for i := 0; i < len(pairs); i += 2 {
		if err := refs.CheckCollection(pairs[i]); err != nil {
			return nil, err
		}
		if err := refs.CheckRef(pairs[i+1]); err != nil {
			return nil, err
		}
		names = append(names, refs.Name{Collection: pairs[i], Ref: pairs[i+1]})
	}
	return names, nil
}

// completeCollected completes pairs of a collection and a ref, which are known here, behind so
// many arguments, which are directories.
func completeCollected(before int) func(*cli.Invocation, string) cli.Completion {
	return func(inv *cli.Invocation, _ string) (c cli.Completion) {
		if len(inv.Args) < before {
			return cli.Completion{Dirs: true}
		}
		repo, list, err := openRemotes(inv, "")
		if repo != nil {
			defer repo.Close()
		}
		if err != nil {
			return c
		}
		known, _ := repo.CollectedRefs("")
		if behind := len(inv.Args) - before; behind%2 == 1 {
			for _, ref := range known {
				if ref.Collection == inv.Args[len(inv.Args)-1] {
					c.Words = append(c.Words, ref.Ref)
				}
			}
			return c
		}
		for _, ref := range known {
			c.Words = append(c.Words, ref.Collection)
		}
		c.Words = slices.Compact(append(c.Words, remoteCollections(list)...))
		return c
	}
}

// remoteCollections are the ids of the collections that remotes are configured with.
func remoteCollections(list *remote.List) (ids []string) {
	for _, name := range list.Names() {
		if id, ok, _ := list.Option(name, "collection-id"); ok {
			ids = append(ids, id)
		}
	}
	return ids
}

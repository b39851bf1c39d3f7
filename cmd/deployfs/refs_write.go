package main

import (
	"context"
	"slices"
	"strings"

	"deployfs/cmd/internal/cli"
	"deployfs/objstore"
	"deployfs/objstore/object"
	"deployfs/objstore/refs"
	"deployfs/objstore/summary"
	"deployfs/objstore/transaction"
)

// createRef makes a ref, or an alias, that leads to target.
func (o *refsOptions) createRef(ctx context.Context, repo *objstore.Repo, target string) error {
	all, err := repo.Refs()
	if err != nil {
		return err
	}
	_, exists, err := repo.ResolveLocal(*o.create)
	if err != nil {
		return err
	}
	isAlias := func(ref objstore.Ref) bool { return ref.Alias != "" && ref.String() == *o.create }
	if exists && !o.force && !(o.alias && !o.collections && slices.ContainsFunc(all, isAlias)) {
		return cli.Words("--create specified but ref " + *o.create + " already exists")
	}
	if o.alias && !o.collections {
		return o.createAlias(ctx, repo, all, target)
	}
	sum, err := resolveCommit(repo, target)
	if err != nil {
		return err
	}
	name, err := o.newName()
	if err != nil {
		return err
	}
	return transaction.UpdateRefs(ctx, repo, map[refs.Name]object.Checksum{name: sum})
}

// newName is what --create means: (REMOTE:)REF, or COLLECTION:REF.
func (o *refsOptions) newName() (refs.Name, error) {
	if o.collections {
		collection, ref, _ := strings.Cut(*o.create, ":")
		name := refs.Name{Collection: collection, Ref: ref}
		if err := refs.CheckCollection(collection); err != nil {
			return name, err
		}
		return name, name.Check()
	}
	spec, err := refs.Parse(*o.create)
	return refs.Name{Remote: spec.Remote, Ref: spec.Ref}, err
}

// resolveCommit resolves a REV that is to be what a ref leads to. Ostree takes a checksum that no
// commit has.
func resolveCommit(repo *objstore.Repo, rev string) (object.Checksum, error) {
	sum, err := repo.Resolve(rev)
	if err != nil {
		return sum, err
	}
	commit := object.Name{Checksum: sum, Kind: object.KindCommit}
	there, err := repo.HasObject(commit)
	if err == nil && !there {
		err = &object.NotExistError{Object: commit}
	}
	return sum, err
}

func (o *refsOptions) createAlias(ctx context.Context, repo *objstore.Repo, all []objstore.Ref, target string) error {
	name, err := o.newName()
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(ref objstore.Ref) bool { return ref.String() == target })
	switch {
	case name.Remote != "":
		return cli.Words("Cannot create alias to remote ref: " + name.Remote)
	case i < 0:
		return cli.Words("Cannot create alias to non-existent ref: " + target)
	case all[i].Remote != "": // ostree makes a link to nowhere
		return cli.Words("Cannot create alias to remote ref: " + all[i].Remote)
	}
	if err := repo.SetAlias(name, refs.Name{Ref: target}); err != nil {
		return err
	}
	return summary.Auto(ctx, repo)
}

// deleteRefs deletes the refs below each prefix, or in each collection. Of those below a prefix none
// is deleted when an alias leads to one of them.
func (o *refsOptions) deleteRefs(ctx context.Context, repo *objstore.Repo, prefixes []string) error {
	for _, prefix := range prefixes {
		names, err := o.chosen(repo, prefix)
		if err != nil {
			return err
		}
		if !o.collections {
			if err := repo.CheckUnaliased(names...); err != nil {
				return err
			}
		}
		set := map[refs.Name]object.Checksum{}
		for _, name := range names {
			set[name] = object.Checksum{}
		}
		if err := transaction.UpdateRefs(ctx, repo, set); err != nil {
			return err
		}
	}
	return nil
}

// chosen are the refs that a prefix names.
func (o *refsOptions) chosen(repo *objstore.Repo, prefix string) (names []refs.Name, err error) {
	var rows []refRow
	if o.collections {
		rows, err = collectedRefs(repo, prefix, true)
	} else {
		rows, err = o.listed(repo, prefix, true)
	}
	for _, r := range rows {
		if o.collections {
			names = append(names, refs.Name{Collection: r.of.Collection, Ref: r.of.Ref})
		} else {
			names = append(names, refs.Name{Remote: r.of.Remote, Ref: r.of.Ref})
		}
	}
	return names, err
}

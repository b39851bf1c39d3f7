package objstore

import (
	"cmp"
	"slices"

	"deployfs/objstore/refs"
)

// CollectedRefs lists the refs that belong to a collection, or to one of them:
// local refs when the repository has a collection, mirrored ones, and those of
// remotes that have one. Each has its Collection set. They are sorted by
// collection and name; of several with the same, the one that is listed last
// here counts.
func (r *Repo) CollectedRefs(collection string) ([]Ref, error) {
	own, err := r.Refs()
	if err != nil {
		return nil, err
	}
	mirrored, err := r.MirroredRefs()
	if err != nil {
		return nil, err
	}
	type key struct{ collection, ref string }
	found := map[key]Ref{}
	add := func(list []Ref, choose func(*Ref) bool) {
		for _, ref := range list {
			if choose(&ref) && (collection == "" || ref.Collection == collection) {
				found[key{ref.Collection, ref.Ref}] = ref
			}
		}
	}
	add(own, func(ref *Ref) bool {
		ref.Collection = r.Collection()
		return ref.Remote == "" && ref.Collection != ""
	})
	add(mirrored, func(*Ref) bool { return true })
	add(own, func(ref *Ref) bool {
		ref.Collection = r.remoteCollection(ref.Remote)
		return ref.Remote != "" && ref.Collection != ""
	})
	list := make([]Ref, 0, len(found))
	for _, ref := range found {
		list = append(list, ref)
	}
	slices.SortFunc(list, func(a, b Ref) int {
		return cmp.Or(cmp.Compare(a.Collection, b.Collection), cmp.Compare(a.Ref, b.Ref))
	})
	return list, nil
}

// Collection is the repository's collection id, or "".
func (r *Repo) Collection() string {
	id, _ := r.config.Get("core", "collection-id")
	return id
}

// remoteCollection is the collection id of a remote's refs, or "".
func (r *Repo) remoteCollection(remote string) string {
	group := `remote "` + remote + `"`
	for repo := r; repo != nil; repo = repo.parent {
		if repo.config.HasGroup(group) {
			id, _ := repo.config.Get(group, "collection-id")
			if refs.CheckCollection(id) != nil {
				return ""
			}
			return id
		}
	}
	return ""
}

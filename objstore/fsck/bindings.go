package fsck

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"deployfs/objstore"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
)

// The keys of a commit's metadata that tie it to refs.
const (
	refBinding        = "ostree.ref-binding"
	collectionBinding = "ostree.collection-binding"
)

// boundRefs are the refs that a commit may be served for; false when it does not say.
func boundRefs(c object.Commit) (list []string, ok bool) {
	v, ok := lookup(c, refBinding, "as")
	if !ok {
		return nil, false
	}
	for i := range v.Len() {
		list = append(list, v.At(i).Str())
	}
	return list, true
}

// boundCollection is the collection that a commit belongs to; false when it does not say.
func boundCollection(c object.Commit) (id string, ok bool) {
	v, ok := lookup(c, collectionBinding, "s")
	if !ok {
		return "", false
	}
	return v.Str(), true
}

// lookup finds metadata of a type. With another type it is as if it were not there.
func lookup(c object.Commit, key, typ string) (gvariant.Value, bool) {
	v, ok := c.Metadata.Lookup(key)
	return v, ok && v.Type() == typ
}

// checkBindings fails unless a commit may be served for a ref, which is one of a
// collection unless that is "".
func checkBindings(c object.Commit, collection, ref string) error {
	bound, ok := boundRefs(c)
	switch {
	case !ok && collection == "":
		return nil
	case !ok:
		return errors.New("Expected commit metadata to have ref binding information, found none")
	case !slices.Contains(bound, ref):
		return fmt.Errorf("Commit has no requested ref ‘%s’ in ref binding metadata (%s)", ref, quoted(bound))
	case collection == "":
		return nil
	}
	id, ok := boundCollection(c)
	if !ok {
		return errors.New("Expected commit metadata to have collection ID binding information, found none")
	}
	if id != collection {
		return fmt.Errorf("Commit has collection ID ‘%s’ in collection binding metadata, while the remote it came from has collection ID ‘%s’", id, collection)
	}
	return nil
}

func quoted(list []string) string {
	if len(list) == 0 {
		return "no refs"
	}
	return "‘" + strings.Join(list, "’, ‘") + "’"
}

// checkBackRefs fails unless all the refs that a commit is bound to name it.
func (c *checker) checkBackRefs(sum object.Checksum, commit object.Commit) error {
	bound, _ := boundRefs(commit)
	collection, _ := boundCollection(commit)
	for _, ref := range bound {
		what := fmt.Sprintf("Ref ‘%s’", ref)
		if collection != "" {
			what = fmt.Sprintf("Collection–ref (%s, %s)", collection, ref)
		}
		named, err := c.resolve(collection, ref)
		switch {
		case err != nil:
			return err
		case named == "":
			return fmt.Errorf("%s in bindings for commit %s does not exist", what, sum)
		case named != sum.String():
			return fmt.Errorf("%s in bindings for commit %s does not resolve to that commit", what, sum)
		}
	}
	return nil
}

// resolve is what a ref names; "" when there is no such ref.
func (c *checker) resolve(collection, ref string) (string, error) {
	if collection != "" {
		return c.collectionRef(binding{collection, ref})
	}
	sum, err := c.repo.Resolve(ref)
	if unknown := (*objstore.RevError)(nil); errors.As(err, &unknown) && !unknown.Ambiguous {
		return "", nil
	}
	return sum.String(), err
}

// binding is a ref of a collection.
type binding struct{ collection, ref string }

// collectionRef is what a ref of a collection names, here or in a parent repository.
func (c *checker) collectionRef(b binding) (string, error) {
	if c.collected == nil {
		c.collected = map[binding]string{}
		for repo := c.repo; repo != nil; repo = repo.Parent() {
			if err := c.collect(repo); err != nil {
				return "", err
			}
		}
	}
	return c.collected[b], nil
}

// collect adds a repository's refs of collections that are not known yet: those of
// remotes win over mirrored ones, these over local ones.
func (c *checker) collect(repo *objstore.Repo) error {
	list, err := repo.Refs()
	if err != nil {
		return err
	}
	mirrored, err := repo.MirroredRefs()
	if err != nil {
		return err
	}
	var remote []objstore.Ref
	for _, ref := range list {
		if id, ok := repo.Config().Get(`remote "`+ref.Remote+`"`, "collection-id"); ok && ref.Remote != "" {
			ref.Collection = id
			remote = append(remote, ref)
		}
	}
	for _, ref := range slices.Concat(remote, mirrored, ownCollection(repo, list)) {
		b := binding{ref.Collection, ref.Ref}
		if _, known := c.collected[b]; !known {
			c.collected[b] = ref.Checksum
		}
	}
	return nil
}

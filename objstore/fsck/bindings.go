package fsck

import (
	"errors"
	"fmt"
	"slices"

	"deployfs/objstore"
	"deployfs/objstore/binding"
	"deployfs/objstore/object"
)

// checkBackRefs fails unless all the refs that a commit is bound to name it.
func (c *checker) checkBackRefs(sum object.Checksum, commit object.Commit) error {
	bound, _ := binding.Refs(commit)
	collection, _ := binding.Collection(commit)
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
		return c.collectionRef(tie{collection, ref})
	}
	sum, err := c.repo.Resolve(ref)
	if unknown := (*objstore.RevError)(nil); errors.As(err, &unknown) && !unknown.Ambiguous {
		return "", nil
	}
	return sum.String(), err
}

// tie is a ref of a collection.
type tie struct{ collection, ref string }

// collectionRef is what a ref of a collection names, here or in a parent repository.
func (c *checker) collectionRef(b tie) (string, error) {
	if c.collected == nil {
		c.collected = map[tie]string{}
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
		b := tie{ref.Collection, ref.Ref}
		if _, known := c.collected[b]; !known {
			c.collected[b] = ref.Checksum
		}
	}
	return nil
}

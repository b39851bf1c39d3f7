package fsck

import (
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/binding"
	"deployfs/objstore/object"
)

// checkRefs checks the commit of each ref.
func (c *checker) checkRefs() error {
	tell(c.options.Events.Refs)
	if unix.Faccessat(int(c.repo.Dir().Fd()), "refs/heads", unix.F_OK, 0) == unix.ENOENT {
		return errors.New("Listing refs: opendir(refs/heads): No such file or directory") // a repository that has lost its refs
	}
	list, err := c.repo.Refs()
	if err != nil {
		return err
	}
	for _, ref := range list {
		if err := c.checkRef(ref.Checksum, "", ref.Ref); err != nil {
			return err
		}
	}
	tell(c.options.Events.Collections)
	mirrored, err := c.repo.MirroredRefs()
	if err != nil {
		return err
	}
	for _, ref := range append(ownCollection(c.repo, list), mirrored...) {
		if err := c.checkRef(ref.Checksum, ref.Collection, ref.Ref); err != nil {
			return err
		}
	}
	return nil
}

// ownCollection are the local refs as those of the repository's own collection; none
// when it has no collection.
func ownCollection(repo *objstore.Repo, list []objstore.Ref) (own []objstore.Ref) {
	collection, ok := repo.Config().Get("core", "collection-id")
	if !ok {
		return nil
	}
	for _, ref := range list {
		if ref.Remote == "" {
			ref.Collection = collection
			own = append(own, ref)
		}
	}
	return own
}

// checkRef checks the commit that a ref names.
func (c *checker) checkRef(text, collection, ref string) error {
	if err := c.ctx.Err(); err != nil {
		return err
	}
	sum, err := object.ParseChecksum(text)
	if err != nil {
		c.problem(Problem{Ref: text + ".commit", Missing: true})
		return loadError(collection, ref, text+".commit")
	}
	name := object.Name{Checksum: sum, Kind: object.KindCommit}
	if err := c.checkTip(name); err != nil {
		return err
	}
	commit, err := c.repo.Commit(sum)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return loadError(collection, ref, name.String())
	case err != nil || !c.options.VerifyBindings && !c.options.VerifyBackRefs:
		return nil // what is wrong was told
	}
	if err := binding.Check(commit, collection, ref); err != nil {
		return fmt.Errorf("Commit %s: %w", sum, err)
	}
	return nil
}

// checkTip checks a commit, once, whatever refs name it.
func (c *checker) checkTip(name object.Name) error {
	if _, known := c.commits[name.Checksum]; known {
		return nil
	}
	_, err := c.repo.Commit(name.Checksum)
	c.commits[name.Checksum] = err
	if err == nil {
		return nil
	}
	return c.handle(problemOf(name, err))
}

// loadError says that the commit of a ref is not there.
func loadError(collection, ref, name string) error {
	if collection != "" {
		ref = "(" + collection + ", " + ref + ")"
	}
	return fmt.Errorf("Loading commit for ref %s: No such metadata object %s", ref, name)
}

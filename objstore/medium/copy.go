package medium

import (
	"context"
	"errors"
	"path"

	"deployfs/objstore"
	"deployfs/objstore/pull"
	"deployfs/objstore/refs"
	"deployfs/objstore/summary"
)

// Copy says what is copied to a medium, and where to.
type Copy struct {
	Repo string       // path of the repository from the medium's root on; "" is the usual one
	Pull pull.Options // CollectionRefs, and which commits they are
	Fast bool         // nothing is made durable
}

// ErrSource is that refs are to be copied into the repository in which they are.
var ErrSource = errors.New("the source repository")

// Destination is where the repository is, from the medium's root on.
func (c *Copy) Destination() string {
	if c.Repo == "" {
		return usualRepo
	}
	return c.Repo
}

// Copy copies refs of collections to a repository on the medium, with their commits and all
// that these need, so that others find them there. The repository's summary lists them; it
// has no signature.
func (m *Medium) Copy(ctx context.Context, src *objstore.Repo, c Copy) error {
	for _, ref := range c.Pull.CollectionRefs {
		if err := (refs.Name{Collection: ref.Collection, Ref: ref.Ref}).Check(); err != nil {
			return err
		}
	}
	dest, err := m.Create(c.Destination())
	if err != nil {
		return err
	}
	defer dest.Close()
	same, err := sameFile(src.Dir(), dest.Dir())
	if same {
		return ErrSource
	}
	if err == nil {
		err = dest.CheckWritable()
	}
	if err != nil {
		return err
	}
	if c.Fast {
		dest.DisableFsync()
	}
	c.Pull.Mirror = true
	if _, err := pull.Local(ctx, dest, src, c.Pull); err != nil {
		return err
	}
	if err := summary.Update(ctx, dest, nil); err != nil {
		return err
	}
	return m.link(dest, path.Clean(c.Destination()))
}

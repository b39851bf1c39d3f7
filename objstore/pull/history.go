package pull

import (
	"fmt"

	"deployfs/objstore"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
)

// visit is a commit that was taken over.
type visit struct {
	parent object.Checksum // zero for none
	depth  int             // so many parents were followed from there
}

// history takes over a commit and so many of its parents. Where one of these is
// absent the history ends: repositories need not hold all of it.
func (p *puller) history(sum object.Checksum, depth int) error {
	for asParent := false; ; asParent = true {
		if err := p.ctx.Err(); err != nil {
			return err
		}
		v, seen := p.visited[sum]
		if seen && v.depth >= depth {
			return nil
		}
		if !seen {
			commit, found, err := p.commit(sum, asParent)
			if err != nil || !found {
				return err
			}
			v.parent = commit.Parent
		}
		v.depth = depth
		p.visited[sum] = v
		if depth == 0 || v.parent.IsZero() {
			return nil
		}
		if depth != AllParents {
			depth--
		}
		sum = v.parent
	}
}

// commit takes over one commit, without its tree. False: it is absent, and need
// not be there.
func (p *puller) commit(sum object.Checksum, asParent bool) (c object.Commit, found bool, err error) {
	name := object.Name{Checksum: sum, Kind: object.KindCommit}
	held, err := p.t.Repo().HasObject(name)
	if err != nil {
		return c, false, err
	}
	if !held {
		there, err := p.src.HasObject(name)
		switch {
		case err != nil:
			return c, false, err
		case !there && asParent:
			return c, false, p.tombstone(sum)
		case there:
			err = p.t.SetPartial(sum, true)
		}
		if err != nil {
			return c, false, err
		}
	}
	done, err := p.take(name)
	if err != nil {
		return c, false, err
	}
	if err := p.takeDetached(sum, held); err != nil {
		return c, false, err
	}
	if c, err = object.DecodeCommit(done.Data); err != nil {
		return c, false, object.Corrupt(name, err)
	}
	if err := p.admit(sum, c, done.Data); err != nil {
		return c, false, err
	}
	if !p.CommitOnly && (!held || p.t.Repo().IsPartial(sum)) {
		p.partial = append(p.partial, sum)
		p.roots = append(p.roots,
			object.Name{Checksum: c.Root, Kind: object.KindDirTree}, object.Name{Checksum: c.RootMeta, Kind: object.KindDirMeta})
	}
	return c, true, nil
}

// takeDetached takes over a commit's detached metadata.
func (p *puller) takeDetached(sum object.Checksum, held bool) error {
	size, err := p.t.ImportDetached(p.src, sum)
	if held {
		p.detached += size
	}
	return err
}

// admit fails unless a commit is signed and bound as it is to be.
func (p *puller) admit(sum object.Checksum, c object.Commit, data []byte) error {
	if p.VerifyCommit != nil {
		detached, err := p.detachedOf(sum)
		if err == nil {
			err = p.VerifyCommit(sum, data, detached)
		}
		if err != nil {
			return err
		}
	}
	if p.Unbound {
		return nil
	}
	if err := p.bound(sum, c); err != nil {
		return fmt.Errorf("Commit %s: %w", sum, err)
	}
	return nil
}

// bound fails unless a commit is made for the refs that lead to it.
func (p *puller) bound(sum object.Checksum, c object.Commit) error {
	collection, _ := p.src.Config().Get("core", "collection-id")
	asking := p.wanted.refs[sum]
	if len(asking) == 0 {
		return checkBindings(c, collection, "")
	}
	for _, ref := range asking {
		if err := checkBindings(c, collection, ref); err != nil {
			return err
		}
	}
	return nil
}

// detachedOf is a commit's detached metadata: the source's, which counts as soon as
// the pull is over, or what is there if it has none.
func (p *puller) detachedOf(sum object.Checksum) (gvariant.Value, error) {
	for _, repo := range []*objstore.Repo{p.src, p.t.Repo()} {
		if v, ok, err := repo.CommitMeta(sum); ok || err != nil {
			return v, err
		}
	}
	return gvariant.Value{}, nil
}

// tombstone takes over that the source has deleted a commit, when it says so.
func (p *puller) tombstone(sum object.Checksum) error {
	if !p.tombstones {
		return nil
	}
	return p.t.ImportTombstone(p.src, sum)
}

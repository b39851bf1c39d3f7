package pull

import (
	"errors"
	"fmt"
	"io/fs"

	"deployfs/objstore/binding"
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
	held, err := p.dest.HasObject(name)
	if err != nil {
		return c, false, err
	}
	done, err := p.from.commit(p.ctx, p.t, name, held, func(data []byte, detached gvariant.Value) error {
		return p.admit(sum, held, data, detached)
	})
	if asParent && !held && errors.Is(err, fs.ErrNotExist) {
		return c, false, p.tombstone(sum)
	}
	if err != nil {
		return c, false, err
	}
	p.counted(name, done.taken)
	if held {
		p.detached += done.detached
	}
	if c, err = object.DecodeCommit(done.Data); err != nil {
		return c, false, object.Corrupt(name, err)
	}
	if !p.CommitOnly && (!held || p.dest.IsPartial(sum)) {
		p.wantTree(sum, c, done.delta)
	}
	return c, true, nil
}

// wantTree has a commit's tree be taken over, by a static delta or as it is. The commit is
// whole then, if all of its tree is wanted.
func (p *puller) wantTree(sum object.Checksum, c object.Commit, by *offer) {
	if len(p.Subpaths) == 0 {
		p.partial = append(p.partial, sum)
	}
	if by != nil {
		p.deltas = append(p.deltas, by)
		return
	}
	p.wantRoots(c)
}

func (p *puller) wantRoots(c object.Commit) {
	p.roots = append(p.roots,
		object.Name{Checksum: c.Root, Kind: object.KindDirTree}, object.Name{Checksum: c.RootMeta, Kind: object.KindDirMeta})
}

// admit fails unless a commit is signed, bound and dated as it is to be.
func (p *puller) admit(sum object.Checksum, held bool, data []byte, detached gvariant.Value) error {
	c, err := object.DecodeCommit(data)
	if err != nil {
		return fmt.Errorf("Commit %s: %w", sum, err)
	}
	verify := p.VerifyCommit
	if held && p.VerifyStored != nil {
		verify = p.VerifyStored
	}
	if verify != nil {
		if err := verify(sum, data, detached); err != nil {
			return err
		}
	}
	if !p.Unbound {
		if err := p.checkBindings(sum, c); err != nil {
			return fmt.Errorf("Commit %s: %w", sum, err)
		}
	}
	return p.checkNewer(sum, c)
}

// checkBindings fails unless a commit is made for the refs that it was asked for by. Where all is
// mirrored nobody has asked for any of them: one will do, since others may be its aliases.
func (p *puller) checkBindings(sum object.Checksum, c object.Commit) error {
	var asking []string
	for _, ref := range p.wanted.refs[sum] {
		asking = append(asking, ref.Ref)
	}
	if p.everything() {
		asking = anyBound(c, asking)
	}
	return binding.Check(c, p.collection, asking...)
}

// anyBound is one ref that a commit is made for, or all if it is made for none of them.
func anyBound(c object.Commit, asking []string) []string {
	bound, _ := binding.Refs(c)
	made := make(map[string]struct{}, len(bound))
	for _, ref := range bound {
		made[ref] = struct{}{}
	}
	for i, ref := range asking {
		if _, ok := made[ref]; ok {
			return asking[i : i+1]
		}
	}
	return asking
}

// tombstone takes over that the other repository has deleted a commit, when it says so.
func (p *puller) tombstone(sum object.Checksum) error {
	if !p.list.tombstones {
		return nil
	}
	return p.from.tombstone(p.ctx, p.t, sum)
}

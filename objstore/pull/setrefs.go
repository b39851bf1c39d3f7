package pull

import (
	"path"

	"deployfs/objstore/object"
	"deployfs/objstore/refs"
)

// setRefs moves the refs that lead elsewhere.
func (p *puller) setRefs() error {
	for _, commit := range p.wanted.order {
		for _, ref := range p.wanted.refs[commit] {
			if err := p.setRef(p.target(ref), commit); err != nil {
				return err
			}
		}
	}
	return nil
}

// target is what a ref of the other repository is called here.
func (p *puller) target(ref refs.Name) refs.Name {
	switch {
	case !p.Mirror:
		return refs.Name{Remote: p.Remote, Ref: ref.Ref}
	case ref.Collection == p.dest.Collection():
		return refs.Name{Ref: ref.Ref}
	}
	return ref
}

func (p *puller) setRef(name refs.Name, commit object.Checksum) error {
	if err := name.Check(); err != nil {
		return err
	}
	file := name.Path()
	if old, err := p.t.Repo().RefEntry(path.Dir(file), path.Base(file)); err != nil || old.Commit != commit {
		p.t.SetRef(name, commit)
	}
	return nil
}

package compose

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/modify"
	"deployfs/objstore/object"
	"deployfs/objstore/refs"
)

// Plan is a request that was checked.
type Plan struct {
	Request

	repo     *objstore.Repo
	ref      refs.Spec       // what the branch is
	parent   object.Checksum // zero for none
	metadata []Pair          // what is known before the tree is
	progress *Progress
}

// Prepare checks a request as far as it can be before files are read. The request is
// not to be changed afterwards, but for its subject and body.
func Prepare(repo *objstore.Repo, r Request) (*Plan, error) {
	p := &Plan{Request: r, repo: repo, progress: new(Progress)}
	if r.Branch == "" && !r.Orphan {
		return nil, errors.New("A branch must be specified with --branch, or use --orphan")
	}
	if err := p.findParent(); err != nil {
		return nil, err
	}
	if r.Branch != "" {
		if err := repo.CheckRef(refs.Name{Remote: p.ref.Remote, Ref: p.ref.Ref}); err != nil {
			return nil, err
		}
	}
	if p.parent.IsZero() && len(r.Keep) > 0 {
		return nil, errors.New("Either --branch or --parent must be specified when using --keep-metadata")
	}
	if err := p.keepMetadata(); err != nil {
		return nil, err
	}
	if repo.Mode() == objstore.BareUserOnly {
		if p.Modifier == nil {
			p.Modifier = new(modify.Modifier)
		}
		p.Modifier.Canonical = true
	}
	return p, nil
}

// Progress is how far the plan has come; it may be looked at meanwhile.
func (p *Plan) Progress() *Progress { return p.progress }

func (p *Plan) findParent() (err error) {
	if p.Branch != "" {
		if p.ref, err = refs.Parse(p.Branch); err != nil {
			return err
		}
	}
	switch {
	case object.IsChecksum(p.ref.Ref):
		return fmt.Errorf("Rev name '%s' looks like a checksum", p.ref.Ref)
	case p.Parent != nil && *p.Parent == "none":
		return nil
	case p.Parent != nil:
		if p.parent, err = object.ParseChecksum(*p.Parent); err != nil || p.parent.IsZero() {
			err = fmt.Errorf("Invalid rev %s", *p.Parent)
		}
		return err
	case p.Orphan:
		return nil
	}
	unknown := (*objstore.RevError)(nil)
	p.parent, err = p.repo.Resolve(p.Branch)
	if errors.As(err, &unknown) && !unknown.Ambiguous || errors.Is(err, unix.EISDIR) {
		return nil // a directory without refs makes room
	}
	if err == nil && p.parent.IsZero() {
		err = fmt.Errorf("ref %s leads to no commit: its checksum is all zeros", p.Branch)
	}
	return err
}

// keepMetadata appends what is kept of the parent's metadata to what is given.
func (p *Plan) keepMetadata() error {
	p.metadata = p.Metadata[:len(p.Metadata):len(p.Metadata)]
	if len(p.Keep) == 0 {
		return nil
	}
	parent, err := p.repo.Commit(p.parent)
	if err != nil {
		return err
	}
	for _, key := range p.Keep {
		value, ok := parent.Metadata.Lookup(key)
		if !ok {
			return fmt.Errorf("Missing metadata key '%s' from commit '%s'", key, p.parent)
		}
		p.metadata = append(p.metadata, Pair{key, value})
	}
	return nil
}

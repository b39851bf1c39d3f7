package pull

import (
	"errors"
	"slices"

	"deployfs/objstore/object"
	"deployfs/objstore/refs"
)

// wanted are the commits that are asked for, and by which refs.
type wanted struct {
	order []object.Checksum // each once
	refs  map[object.Checksum][]refs.Name
}

// add asks for a commit, and for a ref of it unless that is zero.
func (w *wanted) add(commit object.Checksum, ref refs.Name) {
	known, ok := w.refs[commit]
	if !ok {
		w.order = append(w.order, commit)
	}
	if ref.Ref != "" {
		known = append(known, ref)
	}
	w.refs[commit] = known
}

// request is a ref that is asked for, or a commit, or both.
type request struct {
	name   refs.Name // without a remote
	commit object.Checksum
}

// everything reports whether all is asked for that the summary lists.
func (o *Options) everything() bool { return o.Mirror && o.Refs == nil && o.CollectionRefs == nil }

// choose finds the commits that are asked for.
func (p *puller) choose() error {
	p.wanted.refs = map[object.Checksum][]refs.Name{}
	list, err := p.requests()
	if err == nil {
		err = p.readSummary(list)
	}
	if err != nil {
		return err
	}
	if p.everything() {
		if p.list.parsed == nil {
			return errors.New("Fetching all refs was requested in mirror mode, but remote repository does not have a summary")
		}
		list = p.list.all()
	}
	for _, r := range list {
		if err := p.settle(&r); err != nil {
			return err
		}
		p.wanted.add(r.commit, r.name)
	}
	return p.findNewer()
}

// requests are the refs and commits that are asked for, each once.
func (p *puller) requests() (list []request, err error) {
	if p.everything() {
		return nil, nil
	}
	names := p.Refs
	if names == nil && p.CollectionRefs == nil {
		if names, err = p.from.names(); err != nil {
			return nil, err
		}
	}
	seen := map[request]bool{}
	add := func(r request) {
		if !seen[r] {
			list = append(list, r)
		}
		seen[r] = true
	}
	for _, name := range names {
		if sum, err := object.ParseChecksum(name); err == nil {
			add(request{commit: sum})
			continue
		}
		if err := refs.CheckRef(name); err != nil {
			return nil, err
		}
		add(request{name: refs.Name{Ref: name}})
	}
	for _, name := range p.CollectionRefs {
		if err := refs.CheckRef(name.Ref); err != nil {
			return nil, err
		}
		add(request{name: refs.Name{Collection: name.Collection, Ref: name.Ref}})
	}
	for i, r := range list {
		if r.name.Ref != "" {
			list[i].commit = p.Commits[r.name]
		}
	}
	return list, nil
}

// readSummary reads the summary where it is needed.
func (p *puller) readSummary(list []request) (err error) {
	unknown := func(r request) bool { return r.name.Ref != "" && r.commit.IsZero() }
	need := p.everything() || slices.ContainsFunc(list, unknown)
	if !need {
		if need, err = p.from.needsSummary(p.ctx); err != nil {
			return err
		}
	}
	if need {
		if p.list, err = p.from.summary(p.ctx, p.VerifySummary); err != nil {
			return err
		}
	}
	return p.from.accept(p.ctx, p.list)
}

// settle finds the commit of a ref: by the summary, when there is one.
func (p *puller) settle(r *request) (err error) {
	switch {
	case r.name.Ref == "" || !r.commit.IsZero():
	case p.list.parsed == nil:
		r.commit, err = p.from.resolve(p.ctx, r.name)
	default:
		err = p.list.settle(r)
	}
	return err
}

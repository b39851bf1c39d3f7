package main

import (
	"context"
	"slices"

	"deployfs/objstore/lazy"
)

// openRepos opens the servers' repositories that are named, and one of this machine where there is
// anything else.
func (d *differ) openRepos(ctx context.Context, revs []string) (err error) {
	d.fars = map[string]*far{}
	for _, rev := range revs {
		if !lazy.IsURL(rev) {
			continue
		}
		t, err := lazy.ParseTarget(rev)
		if err != nil {
			d.closeRepos()
			return err
		}
		if d.fars[t.URL] != nil {
			continue
		}
		if d.fars[t.URL], err = openFar(ctx, d.inv, rev, false); err != nil {
			delete(d.fars, t.URL)
			d.closeRepos()
			return err
		}
		if d.repo == nil {
			d.repo = d.fars[t.URL].repo()
		}
	}
	if slices.ContainsFunc(revs, func(rev string) bool { return !lazy.IsURL(rev) && !isLocal(rev) }) || len(d.fars) == 0 {
		if d.repo, err = openRepo(d.inv); err != nil {
			d.closeRepos()
			return err
		}
	}
	d.fromRepo, d.toRepo = d.repo, d.repo
	return nil
}

func (d *differ) closeRepos() {
	ours := d.repo
	for _, f := range d.fars {
		if f.repo() == ours {
			ours = nil
		}
		f.Close()
	}
	if ours != nil {
		ours.Close()
	}
}

// resolve is the checksum of a commit, here or on a server.
func (d *differ) resolve(rev string) (string, error) {
	if !lazy.IsURL(rev) {
		sum, err := d.repo.Resolve(rev)
		return sum.String(), err
	}
	f, err := d.farOf(rev)
	if err != nil {
		return "", err
	}
	return f.resolve(rev)
}

func (d *differ) farOf(rev string) (*far, error) {
	t, err := lazy.ParseTarget(rev)
	if err != nil {
		return nil, err
	}
	return d.fars[t.URL], nil
}

// nameFar says in which repositories two commits are, those of servers by their checksums.
func (d *differ) nameFar() (err error) {
	if lazy.IsURL(d.from) {
		f, err := d.farOf(d.from)
		if err != nil {
			return err
		}
		if d.fromRev, err = f.resolve(d.from); err != nil {
			return err
		}
		d.fromRepo = f.repo()
	}
	if lazy.IsURL(d.to) {
		f, err := d.farOf(d.to)
		if err != nil {
			return err
		}
		if d.toRev, err = f.resolve(d.to); err != nil {
			return err
		}
		d.toRepo = f.repo()
	}
	return nil
}

package daemon

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"deployfs/objstore"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/lazy"
	"deployfs/objstore/object"
	"deployfs/objstore/remote"
	"deployfs/objstore/trust"
)

// wanted is what a remote's configuration demands of its commits.
type wanted struct {
	policy      demands
	collections []string // that they are bound to
}

func wantedOf(repo *objstore.Repo, list *remote.List, name string) (w wanted, err error) {
	policy, err := trust.ForPull(repo, name)
	if err != nil {
		return w, err
	}
	w.policy = demands{policy}
	if id, _, err := list.Option(name, "collection-id"); err != nil {
		return w, err
	} else if id != "" {
		w.collections = []string{id}
	}
	return w, nil
}

// keptPolicy is what the repository that keeps a commit demands of what its remote's refs
// lead to, if it has that remote.
func keptPolicy(path string, t lazy.Target) (w wanted, err error) {
	repo, err := objstore.Open(path)
	if err != nil {
		return w, withKeepRemedy(fmt.Errorf("repository %s: %w", path, err), path)
	}
	defer repo.Close()
	list, err := remote.Load(repo)
	if err != nil {
		return w, err
	}
	name := t.Remote
	if name == "" {
		if name, err = lazy.RemoteFor(repo, t.URL); err != nil {
			return w, err
		}
	}
	if _, err := list.Find(name); err != nil {
		return w, nil
	}
	return wantedOf(repo, list, name)
}

// withKeepRemedy adds what to do where there is no repository to keep in.
func withKeepRemedy(err error, path string) error {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return err
	case errors.Is(err, fs.ErrNotExist):
		return &Failure{Text: err.Error(), Remedy: fmt.Sprintf("`deployfs init --repo=%s` makes one", Line(path))}
	}
	return &Failure{Text: err.Error(), Remedy: "name an OSTree repository with --keep=DIR"}
}

// demands are policies that all have to be met.
type demands []lazy.Policy

func (d demands) WantsSummary() bool {
	return slices.ContainsFunc(d, func(p lazy.Policy) bool { return p.WantsSummary() })
}

func (d demands) WantsCommit() bool {
	return slices.ContainsFunc(d, func(p lazy.Policy) bool { return p.WantsCommit() })
}

func (d demands) Summary(summary, signatures []byte) error {
	for _, p := range d {
		if !p.WantsSummary() {
			continue
		}
		if err := p.Summary(summary, signatures); err != nil {
			return err
		}
	}
	return nil
}

func (d demands) Commit(sum object.Checksum, data []byte, detached gvariant.Value) error {
	for _, p := range d {
		if !p.WantsCommit() {
			continue
		}
		if err := p.Commit(sum, data, detached); err != nil {
			return err
		}
	}
	return nil
}

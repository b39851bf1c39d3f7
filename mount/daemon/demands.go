package daemon

import (
	"fmt"
	"slices"

	"deployfs/objstore"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/lazy"
	"deployfs/objstore/object"
	"deployfs/objstore/remote"
	"deployfs/objstore/trust"
)

// keptPolicy is what the repository that keeps a commit demands of what its remote's refs
// lead to, if it has that remote.
func keptPolicy(path string, t lazy.Target) (demands, error) {
	repo, err := objstore.Open(path)
	if err != nil {
		return nil, fmt.Errorf("repository %s: %w", path, err)
	}
	defer repo.Close()
	list, err := remote.Load(repo)
	if err != nil {
		return nil, err
	}
	name := t.Remote
	if name == "" {
		if name, err = lazy.RemoteFor(repo, t.URL); err != nil {
			return nil, err
		}
	}
	if _, err := list.Find(name); err != nil {
		return nil, nil
	}
	policy, err := trust.ForPull(repo, name)
	if err != nil {
		return nil, err
	}
	return demands{policy}, nil
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

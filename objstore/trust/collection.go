package trust

import (
	"fmt"
	"slices"

	"deployfs/objstore"
)

// ForCollection is what is demanded of commits of a collection wherever they come from,
// such as from another machine or a stick: a GPG signature, always, by a key that counts
// for the first remote that is configured with the collection's id, and what sign-verify
// of that remote asks for. It returns the remote's name, too.
func ForCollection(repo *objstore.Repo, id string) (p *Policy, remote string, err error) {
	return machine.forCollection(repo, id)
}

func (s system) forCollection(repo *objstore.Repo, id string) (p *Policy, remote string, err error) {
	list, err := s.places.Load(repo)
	if err != nil {
		return nil, "", err
	}
	for _, name := range list.Names() {
		value, ok, err := list.Option(name, "collection-id")
		if err != nil {
			return nil, "", err
		}
		if !ok || value != id {
			continue
		}
		if p, err = s.forPull(repo, name); err != nil {
			return nil, "", err
		}
		if !slices.ContainsFunc(p.commit, demand.gpg) {
			p.commit = append(p.commit, s.gpgDemand(repo, name, "gpg-verify"))
		}
		p.summary = nil
		return p, name, nil
	}
	return nil, "", fmt.Errorf("No keyring found configured locally for collection ‘%s’", id)
}

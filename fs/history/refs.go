package history

import (
	iofs "io/fs"
	"path"

	"deployfs/objstore"
)

// refTree shows a directory of refs as it is in the repository.
type refTree struct {
	repo *objstore.Repo
	root string // below refs/
}

func (t *refTree) list(below []string) ([]entry, error) {
	dir := path.Join(t.root, path.Join(below...))
	if len(below) > 0 {
		parent, name := path.Split(dir)
		e, err := t.repo.RefEntry(path.Clean(parent), name)
		if err != nil {
			return nil, err
		}
		if !e.Dir {
			return nil, iofs.ErrNotExist
		}
	}
	refs, err := t.repo.RefDir(dir)
	if err != nil {
		return nil, err
	}
	var list []entry
	for _, ref := range refs {
		if !ref.Dir {
			if err := holds(t.repo, ref.Commit); absent(err) {
				continue
			} else if err != nil {
				return nil, err
			}
		}
		list = append(list, entry{ref.Name, ref.Dir, ref.Commit})
	}
	return list, nil
}

func (t *refTree) find(below []string, name string) (entry, error) {
	ref, err := t.repo.RefEntry(path.Join(t.root, path.Join(below...)), name)
	if err == nil && !ref.Dir {
		err = holds(t.repo, ref.Commit)
	}
	return entry{name, ref.Dir, ref.Commit}, err
}

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

func (t *refTree) list(below []string) (list []entry, err error) {
	err = t.each(below, func(e entry) bool { list = append(list, e); return true })
	return list, err
}

func (t *refTree) hasLinks(below []string) (has bool, err error) {
	err = t.each(below, func(e entry) bool { has = !e.dir; return !has })
	return has, err
}

// each visits what a directory shows, until visit returns false.
func (t *refTree) each(below []string, visit func(entry) bool) (err error) {
	dir := path.Join(t.root, path.Join(below...))
	if len(below) > 0 {
		parent, name := path.Split(dir)
		e, err := t.repo.RefEntry(path.Clean(parent), name)
		if err != nil {
			return err
		}
		if !e.Dir {
			return iofs.ErrNotExist
		}
	}
	failed := t.repo.EachRef(dir, func(ref objstore.RefEntry) bool {
		if !ref.Dir {
			if err = holds(t.repo, ref.Commit); absent(err) {
				err = nil
				return true
			}
		}
		return err == nil && visit(entry{ref.Name, ref.Dir, ref.Commit})
	})
	if err == nil {
		err = failed
	}
	return err
}

func (t *refTree) find(below []string, name string) (entry, error) {
	ref, err := t.repo.RefEntry(path.Join(t.root, path.Join(below...)), name)
	if err == nil && !ref.Dir {
		err = holds(t.repo, ref.Commit)
	}
	return entry{name, ref.Dir, ref.Commit}, err
}

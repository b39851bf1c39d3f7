package history

import (
	iofs "io/fs"

	"deployfs/fs"
	"deployfs/objstore/object"
)

// listCommits lists the directory commits, that of facts in it, or a commit's facts.
func (v *View) listCommits(path []string) ([]fs.Name, error) {
	switch {
	case len(path) == 0:
		list, err := v.allCommits(fs.NameCommit)
		return append(list, fs.Name{Name: factsDir, Kind: fs.NameDir}), err
	case path[0] != factsDir || len(path) > 2:
		return nil, iofs.ErrNotExist
	case len(path) == 1:
		return v.allCommits(fs.NameDir)
	}
	sum, err := v.commit(path[1])
	if err != nil {
		return nil, err
	}
	return v.facts(sum)
}

func (v *View) allCommits(kind fs.NameKind) ([]fs.Name, error) {
	sums, err := v.commits.current()
	list := make([]fs.Name, 0, len(sums)+1)
	for _, sum := range sums {
		list = append(list, fs.Name{Name: sum.String(), Kind: kind})
	}
	return list, err
}

// findCommit finds a name in the directory commits or below it.
func (v *View) findCommit(path []string, name string) (fs.Name, error) {
	switch {
	case len(path) == 0 && name == factsDir:
		return fs.Name{Name: name, Kind: fs.NameDir}, nil
	case len(path) == 0:
		_, err := v.commit(name)
		return fs.Name{Name: name, Kind: fs.NameCommit}, err
	case path[0] != factsDir || len(path) > 2:
		return fs.Name{}, iofs.ErrNotExist
	case len(path) == 1:
		_, err := v.commit(name)
		return fs.Name{Name: name, Kind: fs.NameDir}, err
	}
	sum, err := v.commit(path[1])
	if err != nil {
		return fs.Name{}, err
	}
	return v.fact(sum, name)
}

// commit is the commit that a name stands for.
func (v *View) commit(name string) (sum object.Checksum, err error) {
	if !object.IsChecksum(name) {
		return sum, iofs.ErrNotExist
	}
	if sum, err = object.ParseChecksum(name); err == nil {
		err = holds(v.repo, sum)
	}
	return sum, err
}

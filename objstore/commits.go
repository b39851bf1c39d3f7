package objstore

import (
	"bytes"
	"slices"

	"deployfs/objstore/object"
)

// Commits lists the commits that the repository and its parents hold, sorted, each once.
func (r *Repo) Commits() ([]object.Checksum, error) {
	var list []object.Checksum
	for repo := r; repo != nil; repo = repo.parent {
		err := repo.eachCommit("", func(sum object.Checksum) error {
			list = append(list, sum)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(list, func(a, b object.Checksum) int { return bytes.Compare(a[:], b[:]) })
	return slices.Compact(list), nil
}

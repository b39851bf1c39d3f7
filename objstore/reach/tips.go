package reach

import (
	"fmt"

	"deployfs/objstore"
	"deployfs/objstore/object"
	"deployfs/objstore/refs"
)

// Tip is a ref and the commit that it names.
type Tip struct {
	objstore.Ref
	Commit object.Checksum
}

// Tips lists all refs: local ones and those of remotes by name, then mirrored ones.
func Tips(repo *objstore.Repo) ([]Tip, error) {
	list, err := repo.Refs()
	if err != nil {
		return nil, err
	}
	mirrored, err := repo.MirroredRefs()
	if err != nil {
		return nil, err
	}
	var tips []Tip
	for _, ref := range append(list, mirrored...) {
		sum, err := object.ParseChecksum(ref.Checksum)
		if err != nil {
			return nil, &BadRefError{ref.Spec, err}
		}
		tips = append(tips, Tip{ref, sum})
	}
	return tips, nil
}

// BadRefError says that a ref holds something else than a checksum, so that what
// it meant is not known.
type BadRefError struct {
	Ref refs.Spec
	Err error
}

func (e *BadRefError) Error() string { return fmt.Sprintf("ref %s: %v", e.Ref, e.Err) }
func (e *BadRefError) Unwrap() error { return e.Err }

// Hint is the remedy.
func (e *BadRefError) Hint() string {
	return fmt.Sprintf("`ostree refs --delete %s` drops it, `ostree reset %s COMMIT` mends it", e.Ref, e.Ref)
}

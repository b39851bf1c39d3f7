package pull

import (
	"errors"
	"fmt"

	"deployfs/objstore"
	"deployfs/objstore/object"
	"deployfs/objstore/refs"
	"deployfs/objstore/summary"
)

// requireDeltas fails, in ostree's words, where static deltas are asked for that
// there are not. Those there are can't be applied yet, which is an error, too.
func (o *Options) requireDeltas(dest, src *objstore.Repo, list *summary.Summary, w wanted) error {
	if !o.NeedDeltas {
		return nil
	}
	if dest.Mode() == objstore.Archive {
		return errors.New("Can't use static deltas in an archive repo")
	}
	indexed, err := src.Config().Bool("core", "indexed-deltas", false)
	if err != nil {
		return err
	}
	deltas := map[object.Checksum]bool{}
	if list != nil {
		indexed = list.IndexedDeltas()
		for delta := range list.Deltas() {
			deltas[delta.To] = true
		}
	}
	if !indexed && len(deltas) == 0 {
		return errors.New("Fetch configured to require static deltas, but no summary deltas or delta index found")
	}
	if list != nil && src.Mode() != objstore.Archive {
		return fmt.Errorf("Can't pull from archives with mode \"%s\"", src.Mode())
	}
	if indexed {
		err = src.EachDeltaIndex(func(to object.Checksum) error {
			deltas[to] = true
			return nil
		})
	}
	for _, commit := range w.order {
		if err == nil {
			err = o.requireDelta(dest, deltas, commit, w.refs[commit])
		}
	}
	return err
}

// requireDelta fails unless a commit is there, with its tree.
func (o *Options) requireDelta(dest *objstore.Repo, deltas map[object.Checksum]bool, commit object.Checksum, asking []string) error {
	held, err := dest.HasObject(object.Name{Checksum: commit, Kind: object.KindCommit})
	if err != nil || held && !dest.IsPartial(commit) || o.CommitOnly {
		return err
	}
	if deltas[commit] {
		return &unappliedError{commit}
	}
	from := "(null)"
	if len(asking) > 0 {
		if sum, err := dest.Resolve(refs.Spec{Remote: o.Remote, Ref: asking[0]}.String()); err == nil {
			from = sum.String()
		}
	}
	return fmt.Errorf("Static deltas required, but none found for %s to %s", from, commit)
}

// unappliedError says that a commit can be had by static delta only with ostree.
type unappliedError struct{ commit object.Checksum }

func (e *unappliedError) Error() string {
	return fmt.Sprintf("Commit %s: static deltas can't be applied", e.commit)
}

func (e *unappliedError) Hint() string {
	return "without --require-static-deltas its objects are taken over"
}

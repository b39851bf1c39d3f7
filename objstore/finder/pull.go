package finder

import (
	"context"
	"fmt"
	"strings"

	"deployfs/objstore/binding"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
	"deployfs/objstore/pull"
	"deployfs/objstore/refs"
	"deployfs/objstore/trust"
)

// PullOptions say how is pulled what was found.
type PullOptions struct {
	Mirror   bool // refs become mirrored ones of their collections
	Progress *pull.Progress
	Warn     func(err error)             // as pull.Options has it
	Failed   func(url string, err error) // told why nothing came from a remote; may be nil
}

// Pull pulls the newest commits into the repository for which they were found. What can't be had
// from one remote is tried from the next. Refs that no remote has are no failure.
func (f *Found) Pull(ctx context.Context, o PullOptions) error {
	pulled := map[refs.Name]bool{}
	for _, r := range f.Results {
		var names []refs.Name
		for _, ref := range r.Refs {
			if !ref.Commit.IsZero() && !pulled[ref.Name] {
				names = append(names, ref.Name)
			}
		}
		if names == nil {
			continue
		}
		err := f.pullFrom(ctx, r, names, o)
		if ctx.Err() != nil {
			return err
		}
		if err != nil && o.Failed != nil {
			o.Failed(r.URL, err)
		}
		for _, name := range names {
			pulled[name] = err == nil
		}
	}
	return f.missing(pulled)
}

// missing fails unless all refs were pulled that were to be.
func (f *Found) missing(pulled map[refs.Name]bool) error {
	var missing []string
	for _, name := range f.asked {
		if done, tried := pulled[name]; tried && !done {
			missing = append(missing, name.String())
		}
	}
	if missing == nil {
		return nil
	}
	return fmt.Errorf("Failed to pull some refs from the remotes: %s", strings.Join(missing, ", "))
}

func (f *Found) pullFrom(ctx context.Context, r Result, names []refs.Name, o PullOptions) error {
	options := pull.Options{
		CollectionRefs: names, Commits: map[refs.Name]object.Checksum{}, Mirror: o.Mirror,
		VerifyCommit: trust.ForLocalPull(f.repo, r.Remote, true, false).Commit,
		Progress:     o.Progress, Warn: o.Warn,
	}
	options.Untrusted = true
	for _, ref := range r.Refs {
		options.Commits[ref.Name] = ref.Commit
	}
	return r.source.pull(ctx, options)
}

// bound is verify, but also fails unless a commit says that it is made for a collection.
func bound(collection string, verify verifier) verifier {
	return func(sum object.Checksum, data []byte, detached gvariant.Value) error {
		if err := verify(sum, data, detached); err != nil {
			return err
		}
		commit, err := object.DecodeCommit(data)
		if err != nil {
			return err
		}
		if err := binding.Check(commit, collection, ""); err != nil {
			return fmt.Errorf("Commit %s: %w", sum, err)
		}
		return nil
	}
}

// verifier is pull.Options' VerifyCommit.
type verifier = func(commit object.Checksum, data []byte, detached gvariant.Value) error

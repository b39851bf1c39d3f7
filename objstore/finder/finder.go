package finder

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"deployfs/objstore"
	"deployfs/objstore/pull"
	"deployfs/objstore/refs"
	"deployfs/objstore/remote"
)

// Kind is a way to find remotes.
type Kind string

// The ways that there are.
const (
	Config Kind = "config" // the repository's configured remotes
	LAN    Kind = "lan"    // neighbours in the network; nothing is found so
	Mount  Kind = "mount"  // media that are mounted
)

// Usual are the ways that a repository's core.default-repo-finders lists, or without that
// config and mount.
func Usual(repo *objstore.Repo) (kinds []Kind, err error) {
	text, ok := repo.Config().Get("core", "default-repo-finders")
	if !ok {
		return []Kind{Config, Mount}, nil
	}
	if text == "" {
		return nil, errors.New("Invalid empty default-repo-finders configuration")
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(text, ";"), ";") {
		if !slices.Contains([]Kind{Config, LAN, Mount}, Kind(name)) {
			return nil, fmt.Errorf("Invalid configured repo-finder '%s'", name)
		}
		kinds = append(kinds, Kind(name))
	}
	return kinds, nil
}

// Options say how remotes are looked for.
type Options struct {
	Kinds  []Kind
	Media  []string           // paths on which media are mounted
	Remote pull.RemoteOptions // how configured remotes are reached
	// Ignored is told which candidate does not count, and why; it may be nil.
	Ignored func(candidate string, err error)
}

// Found are the remotes that were found. It holds the repositories of media open.
type Found struct {
	Results []Result // the best first

	asked []refs.Name
	repo  *objstore.Repo
	open  []*objstore.Repo
	how   pull.RemoteOptions
}

// Asked are the refs that were looked for, each once.
func (f *Found) Asked() []refs.Name { return f.asked }

// Missing are those of them that no remote has.
func (f *Found) Missing() []refs.Name {
	return slices.DeleteFunc(slices.Clone(f.asked), func(name refs.Name) bool {
		return slices.ContainsFunc(f.Results, func(r Result) bool {
			return slices.ContainsFunc(r.Refs, func(ref Ref) bool { return ref.Name == name && !ref.Commit.IsZero() })
		})
	})
}

// Close releases the repositories of media.
func (f *Found) Close() error {
	var errs []error
	for _, repo := range f.open {
		errs = append(errs, repo.Close())
	}
	return errors.Join(errs...)
}

// Find finds remotes that have refs of collections, for a repository. Candidates that can't be
// read, or that contradict what is known, are left out.
func Find(ctx context.Context, repo *objstore.Repo, asked []refs.Name, o Options) (*Found, error) {
	f := &Found{asked: unique(asked), repo: repo, how: o.Remote}
	if o.Ignored == nil {
		o.Ignored = func(string, error) {}
	}
	if err := f.find(ctx, o); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func unique(names []refs.Name) (list []refs.Name) {
	for _, name := range names {
		if !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list
}

func (f *Found) find(ctx context.Context, o Options) error {
	for _, name := range f.asked {
		if err := name.Check(); err != nil {
			return err
		}
	}
	remotes, err := remote.Load(f.repo)
	if err != nil {
		return err
	}
	s := &search{Found: f, Options: o, remotes: remotes}
	for _, kind := range o.Kinds {
		switch kind {
		case Config:
			err = errors.Join(err, s.configured(ctx))
		case Mount:
			err = errors.Join(err, s.mounted(ctx))
		}
	}
	if err != nil {
		return err
	}
	return s.compare(ctx)
}

// search is the finding under way.
type search struct {
	*Found
	Options
	remotes    *remote.List
	candidates []*candidate
}

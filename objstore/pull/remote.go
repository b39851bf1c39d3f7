package pull

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"deployfs/objstore"
	"deployfs/objstore/fetch"
	"deployfs/objstore/remote"
	"deployfs/objstore/trust"
)

// RemoteOptions say what is pulled from a remote, and how.
type RemoteOptions struct {
	Options

	remote.Override                  // of how the remote is reached
	CacheDir        string           // where summaries are kept; "" is the repository's own
	Caches          []*objstore.Repo // repositories of this machine that may hold objects
	TrustServer     bool             // an archive that is mirrored gets content unchecked, as it comes
	NoDeltas        bool             // static deltas are not to be used
	DryRun          bool             // nothing is written: only what would be fetched is found out
}

// Remote pulls from a remote of dest, or from a URL file://, which is a remote without a
// name. A remote that is a directory of this machine is read as one.
func Remote(ctx context.Context, dest *objstore.Repo, name string, o RemoteOptions) (Result, error) {
	o.complete()
	if err := o.check(dest); err != nil {
		return Result{}, err
	}
	s, err := openSession(ctx, dest, name, &o)
	if err != nil {
		return Result{}, err
	}
	defer s.client.Close()
	if o.Refs == nil && o.CollectionRefs == nil {
		if err := s.configured(&o.Options); err != nil {
			return Result{}, err
		}
	}
	if path, ok := s.directory(); ok && !o.NeedDeltas {
		return s.pullDirectory(ctx, path, o)
	}
	collection, _ := s.option("collection-id")
	p := &puller{Options: o.Options, dest: dest, from: &far{session: s, RemoteOptions: &o}, collection: collection}
	begin := s.client.Transferred()
	r, err := p.pull(ctx)
	r.Transferred = s.client.Transferred() - max(begin, s.settled)
	return r, err
}

// check fails where options can't go together, or not with the repository.
func (o *RemoteOptions) check(dest *objstore.Repo) error {
	switch {
	case o.DryRun && !o.NeedDeltas:
		return errors.New("--dry-run requires --require-static-deltas")
	case o.NeedDeltas && dest.Mode() == objstore.Archive:
		return errors.New("Can't use static deltas in an archive repo")
	}
	return nil
}

// session is a remote that is being asked.
type session struct {
	dest    *objstore.Repo
	name    string
	list    *remote.List
	config  fetch.Config
	client  *fetch.Client
	cache   summaryCache
	settled int64 // bytes that had come when it was known what is to be pulled
}

func isFile(name string) bool { return strings.HasPrefix(name, "file://") }

// openSession finds where a remote is, and whose signatures count.
func openSession(ctx context.Context, dest *objstore.Repo, name string, o *RemoteOptions) (s *session, err error) {
	s = &session{dest: dest, name: name, cache: summaryCache{repo: dest, dir: o.CacheDir, remote: name}}
	if s.list, err = remote.Load(dest); err != nil {
		return nil, err
	}
	if !isFile(name) {
		o.Remote = name
		if err := s.policy(&o.Options); err != nil {
			return nil, err
		}
		if err := s.usable(); err != nil {
			return nil, err
		}
	}
	if s.config, err = s.list.Transport(ctx, name, o.Override); err != nil {
		return nil, err
	}
	s.client, err = fetch.New(s.config)
	return s, err
}

// policy has signatures count as the remote's configuration says.
func (s *session) policy(o *Options) error {
	policy, err := trust.ForPull(s.dest, s.name)
	if err != nil {
		return err
	}
	if policy.WantsCommit() {
		o.VerifyCommit = policy.Commit
	}
	if policy.WantsSummary() {
		o.VerifySummary = policy.Summary
	}
	return nil
}

// usable fails where the remote's configuration says that it can't be pulled from.
func (s *session) usable() error {
	if state, err := s.option("unconfigured-state"); state != "" || err != nil {
		return orError(err, "remote unconfigured-state: %s", state)
	}
	if backend, err := s.option("custom-backend"); backend != "" || err != nil {
		return orError(err, "Cannot fetch via libostree - remote '%s' uses custom backend '%s'", s.name, backend)
	}
	return nil
}

func orError(err error, format string, args ...any) error {
	if err != nil {
		return err
	}
	return fmt.Errorf(format, args...)
}

// option is the value of a key of the remote's configuration, or "".
func (s *session) option(key string) (string, error) {
	if isFile(s.name) {
		return "", nil
	}
	value, _, err := s.list.Option(s.name, key)
	return value, err
}

// configured has the branches be pulled that the configuration names, where none are asked
// for.
func (s *session) configured(o *Options) error {
	text, err := s.option("branches")
	if err != nil {
		return err
	}
	for branch := range strings.SplitSeq(text, ";") {
		if branch != "" {
			o.Refs = append(o.Refs, branch)
		}
	}
	if o.Refs == nil && !o.Mirror {
		return fmt.Errorf("No configured branches for remote %s", s.name)
	}
	return nil
}

// directory is where the remote is on this machine.
func (s *session) directory() (path string, ok bool) {
	if len(s.config.URLs) == 0 {
		return "", false
	}
	return strings.CutPrefix(s.config.URLs[0], "file://")
}

// pullDirectory pulls by path.
func (s *session) pullDirectory(ctx context.Context, path string, o RemoteOptions) (Result, error) {
	src, err := objstore.Open(path)
	if err != nil {
		return Result{}, err
	}
	defer src.Close()
	return Local(ctx, s.dest, src, o.Options)
}

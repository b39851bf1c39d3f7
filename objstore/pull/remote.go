package pull

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"deployfs/objstore"
	"deployfs/objstore/fetch"
	"deployfs/objstore/remote"
	"deployfs/objstore/trust"
)

// RemoteOptions say what is pulled from a remote, and how.
type RemoteOptions struct {
	Options

	remote.Override                  // of how the remote is reached
	CacheDir        string           // where summaries are kept; "" is the repository's own place
	Caches          []*objstore.Repo // repositories of this machine that may hold objects
	TrustServer     bool             // an archive that is mirrored gets content unchecked, as it comes
	NoDeltas        bool             // static deltas are not to be used
	Requests        int              // that are made at once; 0 is a number that has shown to be good
	Stall           time.Duration    // that a server may be too slow; 0 is 30 s
	Slowest         int64            // bytes a second that are not too slow; 0 is 1000
}

// Remote pulls from a remote of dest, or from a URL file://, which is a remote without a
// name. A remote that is a directory of this machine is read as one.
func Remote(ctx context.Context, dest *objstore.Repo, name string, o RemoteOptions) (Result, error) {
	o.complete()
	s, err := newSession(dest, name, &o)
	if err == nil {
		err = s.usable()
	}
	if err == nil {
		err = s.connect(ctx, &o)
	}
	if err != nil {
		return Result{}, err
	}
	defer s.client.Close()
	if path, ok := s.directory(); ok && !o.NeedDeltas {
		return s.pullDirectory(ctx, path, o)
	}
	if err := s.configured(&o.Options); err != nil {
		return Result{}, err
	}
	return s.pull(ctx, o)
}

// pull fetches file by file.
func (s *session) pull(ctx context.Context, o RemoteOptions) (Result, error) {
	if o.NeedDeltas && s.dest.Mode() == objstore.Archive {
		return Result{}, errors.New("Can't use static deltas in an archive repo")
	}
	o.NoDeltas = o.NoDeltas || s.dest.Mode() == objstore.Archive || o.CommitOnly
	collection, err := s.option(o.Remote, "collection-id")
	if absent := (*remote.NotFoundError)(nil); err != nil && !errors.As(err, &absent) {
		return Result{}, err
	}
	from := &far{session: s, RemoteOptions: &o, turn: newTurn()}
	p := &puller{Options: o.Options, dest: s.dest, from: from, collection: collection}
	from.wanted = &p.wanted
	r, err := p.pull(ctx)
	r.Metadata += int(from.asked.Load())
	if p.t != nil {
		r.Written = p.t.Stats().BytesWritten - p.byDeltas
	}
	r.Transferred = s.client.Transferred() - from.settled
	return r, err
}

// pullFiles pulls from a repository of this machine file by file, as if it were far.
func pullFiles(ctx context.Context, dest, src *objstore.Repo, o Options) (Result, error) {
	place := (&url.URL{Scheme: "file", Path: src.Path()}).String()
	if o.Refs == nil {
		list, err := src.Refs()
		if err != nil {
			return Result{}, err
		}
		for _, ref := range list {
			o.Refs = append(o.Refs, ref.String())
		}
	}
	far := RemoteOptions{Options: o}
	s, err := newSession(dest, place, &far)
	if err == nil {
		err = s.connect(ctx, &far)
	}
	if err != nil {
		return Result{}, err
	}
	defer s.client.Close()
	return s.pull(ctx, far)
}

// session is a remote that is being asked.
type session struct {
	dest   *objstore.Repo
	name   string
	list   *remote.List
	place  fetch.Config
	client *fetch.Client
	cache  summaryCache
	warn   func(error)
}

func isFile(name string) bool { return strings.HasPrefix(name, "file://") }

// newSession finds whose signatures count of what comes from a remote.
func newSession(dest *objstore.Repo, name string, o *RemoteOptions) (s *session, err error) {
	s = &session{dest: dest, name: name, warn: o.Warn}
	if err := s.cache.open(dest, o.CacheDir, name); err != nil {
		return nil, err
	}
	if s.list, err = remote.Load(dest); err != nil {
		return nil, err
	}
	if !isFile(name) {
		o.Remote = name
		if err := s.policy(&o.Options); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// connect finds where the remote is. The client is to be closed.
func (s *session) connect(ctx context.Context, o *RemoteOptions) (err error) {
	if s.place, err = s.list.Transport(ctx, s.name, o.Override); err != nil {
		return err
	}
	if o.Requests <= 0 {
		o.Requests = requests
	}
	s.place.Parallel, s.place.Stall, s.place.Slowest = o.Requests, o.Stall, o.Slowest
	s.client, err = fetch.New(s.place)
	return err
}

// policy has signatures count as the remote's configuration says.
func (s *session) policy(o *Options) error {
	policy, err := trust.ForPull(s.dest, s.name)
	if err != nil {
		return err
	}
	if policy.WantsCommit() {
		o.VerifyCommit, o.VerifyStored = policy.Commit, policy.StoredCommit
	}
	if policy.WantsDelta() {
		o.VerifyDelta = policy.Delta
	}
	if policy.WantsSummary() {
		o.VerifySummary = policy.Summary
	}
	return nil
}

// usable fails where the remote's configuration says that it can't be pulled from.
func (s *session) usable() error {
	if state, err := s.option(s.name, "unconfigured-state"); state != "" || err != nil {
		return orError(err, "remote unconfigured-state: %s", state)
	}
	if backend, err := s.option(s.name, "custom-backend"); backend != "" || err != nil {
		return orError(err, "Cannot fetch via libostree - remote '%s' uses custom backend '%s'", s.name, backend)
	}
	return nil
}

// orError is err, or an error of this text.
func orError(err error, format string, args ...any) error {
	if err != nil {
		return err
	}
	return fmt.Errorf(format, args...)
}

// option is the value of a key of a remote's configuration, or "".
func (s *session) option(name, key string) (string, error) {
	if name == "" || isFile(name) {
		return "", nil
	}
	value, _, err := s.list.Option(name, key)
	return value, err
}

// configured has the branches be pulled that the configuration names, where none are asked
// for.
func (s *session) configured(o *Options) error {
	if o.Refs != nil || o.CollectionRefs != nil {
		return nil
	}
	text, err := s.option(s.name, "branches")
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

// directory is where the remote is on this machine, if it is there.
func (s *session) directory() (path string, ok bool) {
	place, err := url.Parse(s.place.URLs[0])
	if err != nil || place.Scheme != "file" {
		return "", false
	}
	return place.Path, true
}

// pullDirectory pulls by path.
func (s *session) pullDirectory(ctx context.Context, path string, o RemoteOptions) (Result, error) {
	src, err := objstore.Open(path)
	if err != nil {
		return Result{}, err
	}
	defer src.Close()
	if err := s.configured(&o.Options); err != nil {
		return Result{}, err
	}
	if o.VerifyStored != nil {
		o.VerifyCommit = o.VerifyStored
	}
	return Local(ctx, s.dest, src, o.Options)
}

package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"deployfs/objstore"
	"deployfs/objstore/fetch"
	"deployfs/objstore/lazy"
	"deployfs/objstore/remote"
	"deployfs/objstore/trust"
)

// RemoteCache is the directory, below that of derived data, of what was fetched.
func RemoteCache(cacheDir string) string { return filepath.Join(cacheDir, "remote") }

// errBack is reported when a server answers again.
var errBack = errors.New("it answers again")

// prepareRemote finds the commit that is to be shown on its server, and proves that who
// has to have signed it has.
func (v *view) prepareRemote(ctx context.Context, cfg *Config, report func(string, error)) error {
	target, err := lazy.ParseTarget(cfg.Remote)
	if err != nil {
		return err
	}
	server, policy, err := reach(ctx, cfg, target)
	if err != nil {
		return err
	}
	if cfg.Keep != "" {
		kept, err := keptPolicy(cfg.Keep, target)
		if err != nil {
			return err
		}
		policy = append(policy, kept.policy...)
		server.Collections = append(server.Collections, kept.collections...)
	}
	if err := v.openRemote(cfg, server, time.Now(), report); err != nil {
		return err
	}
	defer context.AfterFunc(ctx, v.source.Stop)()
	if v.found, err = v.source.Resolve(target, policy); err != nil {
		return err
	}
	v.commit = v.found.Commit
	if v.found.Offline != nil {
		report("", fmt.Errorf("%w; what %s meant when it answered last is mounted: commit %s", v.found.Offline, lazy.Shown(cfg.Remote), v.commit))
	}
	if cfg.RequireSignature {
		return v.checkSignature(cfg, target)
	}
	return nil
}

// reach says how to get at a target's server, and what is demanded of what comes from it.
func reach(ctx context.Context, cfg *Config, t lazy.Target) (lazy.Server, demands, error) {
	if t.URL != "" {
		return lazy.Server{URL: lazy.Shown(t.URL), Fetch: fetch.Config{URLs: []string{t.URL}, Agent: cfg.Agent, Retries: fetch.DefaultRetries}}, nil, nil
	}
	var server lazy.Server
	repo, err := objstore.Open(cfg.Repo)
	if err != nil {
		return server, nil, fmt.Errorf("repository %s: %w", cfg.Repo, err)
	}
	defer repo.Close()
	list, err := remote.Load(repo)
	if err != nil {
		return server, nil, err
	}
	if server.Fetch, err = list.Transport(ctx, t.Remote, remote.Override{Agent: cfg.Agent}); err != nil {
		return server, nil, err
	}
	server.URL = lazy.Shown(server.Fetch.URLs[0])
	wanted, err := wantedOf(repo, list, t.Remote)
	server.Collections = wanted.collections
	return server, wanted.policy, err
}

// openRemote opens what is here of a server's repository. Nobody is asked yet.
func (v *view) openRemote(cfg *Config, server lazy.Server, since time.Time, report func(string, error)) error {
	cache, err := lazy.OpenCache(RemoteCache(cfg.CacheDir), cfg.CacheSize)
	if err != nil {
		return &Failure{Text: err.Error(), Remedy: "name a directory that you can write to with --cache-dir=DIR"}
	}
	options := lazy.Options{
		Timeout: cfg.Timeout, ReadAhead: true, Since: since,
		Outage: func(err error) {
			if err == nil {
				err = fmt.Errorf("%s: %w", server.URL, errBack)
			}
			report("", err)
		},
	}
	if cfg.Keep != "" {
		v.keeps = newKeeping()
		options.Arrived = v.keeps.put
	}
	v.source, err = lazy.Open(cache, server, options)
	if err != nil {
		return errors.Join(err, cache.Close())
	}
	v.repo, v.server = v.source.Repo(), server
	return v.searchAlso(cfg)
}

// searchAlso has the repositories searched that may hold what would be fetched.
func (v *view) searchAlso(cfg *Config) error {
	target, err := lazy.ParseTarget(cfg.Remote)
	if err != nil {
		return err
	}
	paths := []string{cfg.Keep}
	if target.Remote != "" && cfg.Repo != cfg.Keep {
		paths = append(paths, cfg.Repo)
	}
	paths = append(paths, v.server.Directory())
	for _, path := range paths {
		if path == "" {
			continue
		}
		repo, err := objstore.Open(path)
		if err != nil {
			return fmt.Errorf("repository %s: %w", path, err)
		}
		v.repo.SearchAlso(repo)
	}
	return nil
}

// checkSignature fails unless the commit is signed as --require-signature demands it. Keys
// are those of a remote of the repository that has it configured, or the system's.
func (v *view) checkSignature(cfg *Config, t lazy.Target) error {
	name := cmp.Or(cfg.SignRemote, t.Remote)
	if name == "" {
		return trust.Check(v.repo, v.commit, "")
	}
	repo, err := objstore.Open(cfg.Repo)
	if err != nil {
		return fmt.Errorf("repository %s: %w", cfg.Repo, err)
	}
	defer repo.Close()
	fetched, err := objstore.Open(v.source.Cache().Repo().Path())
	if err != nil {
		return err
	}
	repo.SearchAlso(fetched)
	repo.BringAbsent(v.source) // who knows what its server says of a commit
	return trust.Check(repo, v.commit, name)
}

// Remote tells about a mount of what is on a server.
type Remote struct {
	URL     string `json:"url"`
	Keep    string `json:"keep,omitempty"`  // repository that what is fetched is put into
	Fetched int64  `json:"fetched"`         // bytes, by this server process
	Objects int64  `json:"objects"`         // that were fetched, whole or for their header alone
	Hits    int64  `json:"hits"`            // how often something was here that was looked at
	Answers bool   `json:"answers"`         // the server did the last time
	Cache   Usage  `json:"cache"`           // bytes on disk, of all servers
	Stale   string `json:"stale,omitempty"` // why the commit is what the ref meant earlier
}

// remote is what is told of the server, nil for a repository of this machine.
func (s *server) remote() *Remote {
	if s.view.source == nil {
		return nil
	}
	stats := s.view.source.Stats()
	used, limit := s.view.source.Cache().Used()
	return &Remote{
		URL: s.view.server.URL, Keep: s.cfg.Keep, Fetched: stats.Fetched, Objects: stats.Objects, Hits: stats.Hits,
		Answers: !stats.Down, Cache: Usage{used, limit}, Stale: s.session.Stale,
	}
}

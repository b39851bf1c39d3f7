package main

import (
	"context"
	"fmt"
	"strings"

	"deployfs/cmd/internal/cli"
	"deployfs/mount/daemon"
	"deployfs/objstore"
	"deployfs/objstore/fetch"
	"deployfs/objstore/lazy"
)

const farText = `REV may also be URL#REF, a commit that is on a server: a ref, or a checksum, of the archive repository at an http, https or file URL; without #REF, the only ref that it has. Nothing is pulled: what is needed is fetched, checked against its checksum, and kept in the user's cache directory for the next time and for deployfs mount --remote. No signature is asked for.`

// far is a repository on a server.
type far struct {
	url    string
	source *lazy.Source
	inv    *cli.Invocation
	stop   func() bool
}

// openFar opens the repository of a URL#REF. With ahead, neighbours of what is looked at are
// fetched, too.
func openFar(ctx context.Context, inv *cli.Invocation, arg string, ahead bool) (*far, error) {
	t, err := lazy.ParseTarget(arg)
	if err != nil {
		return nil, err
	}
	cache, err := lazy.OpenCache(daemon.RemoteCache(daemon.CacheDir()), daemon.DefaultCacheSize)
	if err != nil {
		return nil, err
	}
	server := lazy.Server{URL: lazy.Shown(t.URL), Fetch: fetch.Config{URLs: []string{t.URL}, Agent: agent(inv), Retries: fetch.DefaultRetries}}
	source, err := lazy.Open(cache, server, lazy.Options{ReadAhead: ahead})
	if err != nil {
		cache.Close()
		return nil, err
	}
	f := &far{url: t.URL, source: source, inv: inv, stop: context.AfterFunc(ctx, source.Stop)}
	if dir := server.Directory(); dir != "" {
		repo, err := objstore.Open(dir)
		if err != nil {
			f.Close()
			return nil, err
		}
		source.Repo().SearchAlso(repo)
	}
	return f, nil
}

func (f *far) repo() *objstore.Repo { return f.source.Repo() }

func (f *far) Close() error {
	f.stop()
	return f.source.Close()
}

// resolve turns URL#REF into a checksum, and URL#REF:PATH into CHECKSUM:PATH.
func (f *far) resolve(arg string) (string, error) {
	url, ref, _ := strings.Cut(arg, "#")
	ref, path, hasPath := strings.Cut(ref, ":")
	t, err := lazy.ParseTarget(url + "#" + ref)
	if err != nil {
		return "", err
	}
	if t.URL != f.url {
		return "", &cli.UsageError{Text: fmt.Sprintf("%s is on another server than what is named before it", daemon.Line(lazy.Shown(arg)))}
	}
	found, err := f.source.Resolve(t, nil)
	if err != nil {
		return "", err
	}
	if found.Offline != nil {
		f.inv.Note(fmt.Sprintf("note: %v; taken is what was there when it answered last, commit %s", found.Offline, found.Commit))
	}
	if rev := found.Commit.String(); !hasPath {
		return rev, nil
	} else {
		return rev + ":" + path, nil
	}
}

// withFar is withRepo for a verb that takes commits on a server, too: it gets their checksums, and a
// repository that has them.
func withFar(ahead bool, run func(context.Context, *cli.Invocation, *objstore.Repo) error) func(context.Context, *cli.Invocation) error {
	return func(ctx context.Context, inv *cli.Invocation) error {
		if len(inv.Args) == 0 || !lazy.IsURL(inv.Args[0]) {
			return withRepo(run)(ctx, inv)
		}
		f, err := openFar(ctx, inv, targetOf(inv.Args[0]), ahead)
		if err != nil {
			return err
		}
		defer f.Close()
		for i, arg := range inv.Args {
			if !lazy.IsURL(arg) {
				continue
			}
			if inv.Args[i], err = f.resolve(arg); err != nil {
				return err
			}
		}
		return run(ctx, inv, f.repo())
	}
}

// targetOf is URL#REF without a PATH behind it.
func targetOf(arg string) string {
	url, ref, _ := strings.Cut(arg, "#")
	ref, _, _ = strings.Cut(ref, ":")
	return url + "#" + ref
}

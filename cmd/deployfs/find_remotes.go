package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"deployfs/cmd/internal/cli"
	"deployfs/mount/media"
	"deployfs/objstore"
	"deployfs/objstore/finder"
	"deployfs/objstore/pull"
)

type findRemotesOptions struct {
	cacheDir      string
	finders       *string // nil when not given
	noSync        bool
	fetch, mirror bool
}

func findRemotesVerb() cli.Verb {
	o := new(findRemotesOptions)
	finders := cli.Func(func(text string) error { o.finders = &text; return nil }, "finders", "", "FINDERS",
		"Use the specified comma separated list of finders (e.g. config,lan,mount)")
	finders.Values = []string{"config", "mount", "config,mount", "mount,config"}
	return cli.Verb{
		Name: "find-remotes", Args: "COLLECTION-ID REF [COLLECTION-ID REF...]", Short: "Find remotes to serve the given refs", JSON: true, Long: findRemotesText,
		Options: []cli.Option{
			cli.String(&o.cacheDir, "cache-dir", "", "", "Use custom cache dir"),
			cli.Flag(&o.noSync, "disable-fsync", "", "Do not invoke fsync()"),
			finders,
			cli.Flag(&o.fetch, "pull", "", "Pull the updates after finding them"),
			cli.Flag(&o.mirror, "mirror", "", "Do a mirror pull (see ostree pull --mirror)"),
		},
		Examples: []cli.Example{
			{Command: "deployfs find-remotes org.example.Os os/main", Text: "who has the newest commit of a branch"},
			{Command: "deployfs find-remotes --finders=mount --pull org.example.Os os/main", Text: "take it from a stick"},
		},
		Complete: completeCollected(0),
		Run:      withRepo(o.run),
	}
}

const findRemotesText = `Looks for refs of collections among the remotes that are configured with the collection's id, and in repositories on media that are mounted, such as create-usb makes. A remote is told with those refs of which it has the newest commit; who has only older ones is left out. -v tells why remotes do not count.

With --pull the newest commits are pulled. They must be signed by a key of the remote that is configured with the collection's id, and become refs of that remote, or mirrored ones with --mirror.

Remotes in the local network (the finder lan) can't be found, as there is no support for Avahi.`

func (o *findRemotesOptions) run(ctx context.Context, inv *cli.Invocation, repo *objstore.Repo) error {
	if err := checkPairs(inv.Args); err != nil {
		return err
	}
	if o.mirror && !o.fetch {
		return &cli.UsageError{Text: "When --mirror is specified, --pull must also be"}
	}
	asked, err := collectionRefs(inv.Args)
	if err != nil {
		return err
	}
	search, err := o.search(inv, repo)
	if err != nil {
		return err
	}
	found, err := finder.Find(ctx, repo, asked, search)
	if err != nil {
		return err
	}
	defer found.Close()
	if !inv.JSON {
		printFound(inv, found)
	}
	if o.fetch && len(found.Results) > 0 {
		if err := o.pull(ctx, inv, repo, found); err != nil {
			return err
		}
	}
	if inv.JSON {
		return cli.WriteJSON(inv.Stdout, jsonOfFound(found))
	}
	return nil
}

// search is how remotes are looked for.
func (o *findRemotesOptions) search(inv *cli.Invocation, repo *objstore.Repo) (s finder.Options, err error) {
	s.Remote.CacheDir = o.cacheDir
	s.Remote.Agent = agent(inv)
	if s.Kinds, err = o.kinds(repo); err != nil {
		return s, err
	}
	if inv.Verbose {
		s.Ignored = func(candidate string, err error) { fmt.Fprintf(inv.Stderr, "ignoring %s: %v\n", candidate, err) }
	}
	s.Media, err = media.Paths()
	return s, err
}

// kinds reads which ways to find remotes are to be gone.
func (o *findRemotesOptions) kinds(repo *objstore.Repo) (kinds []finder.Kind, err error) {
	if o.finders == nil {
		return finder.Usual(repo)
	}
	if *o.finders == "" {
		return nil, &cli.UsageError{Text: "List of finders in --finders option must not be empty"}
	}
	left := map[string]bool{"config": true, "lan": true, "mount": true}
	for name := range strings.SplitSeq(*o.finders, ",") {
		if !left[name] {
			return nil, &cli.UsageError{Text: "Unknown or duplicate finder type given in --finders option: ‘" + name + "’"}
		}
		left[name] = false
		kinds = append(kinds, finder.Kind(name))
	}
	if !left["lan"] {
		return nil, &cli.UsageError{Text: "LAN repo finder requested but ostree was compiled without Avahi support"}
	}
	return kinds, nil
}

func (o *findRemotesOptions) pull(ctx context.Context, inv *cli.Invocation, repo *objstore.Repo, found *finder.Found) error {
	if err := repo.CheckWritable(); err != nil {
		return err
	}
	if o.noSync {
		repo.DisableFsync()
	}
	inv.Stdout.Flush()
	begin, count := time.Now(), new(pull.Progress)
	progress := cli.StartProgress(inv.Stderr, func() string { return pullProgress(count, time.Since(begin)) })
	tell := func(format string, args ...any) {
		progress.Aside(func() { fmt.Fprintf(inv.Stderr, format+"\n", args...) })
	}
	how := finder.PullOptions{
		Mirror: o.mirror, Progress: count,
		Warn:   func(err error) { tell("warning: %v; it is taken over as it is", err) },
		Failed: func(url string, err error) { inv.Note(fmt.Sprintf("nothing came from %s: %v", url, err)) },
	}
	err := found.Pull(ctx, how)
	progress.Stop("")
	if n := len(found.Asked()); err == nil && !inv.JSON {
		fmt.Fprintf(inv.Stdout, "Pulled %d/%d refs successfully.\n", n, n)
	}
	return err
}

package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"deployfs/cmd/internal/cli"
	"deployfs/objstore"
	"deployfs/objstore/fetch"
	"deployfs/objstore/object"
	"deployfs/objstore/pull"
	"deployfs/objstore/refs"
)

type pullOptions struct {
	pull.RemoteOptions
	noSync, syncEach, noRetry bool
	depth                     string
	numbers                   [5]number
	caches, headers           []string
}

func pullVerb() cli.Verb {
	o := &pullOptions{depth: "0"}
	return cli.Verb{
		Name: "pull", Args: "REMOTE [BRANCH...]", Short: "Download data from remote repository", Long: pullText,
		Options: append(o.whatOptions(), o.howOptions()...),
		Examples: []cli.Example{
			{Command: "deployfs pull origin os/main", Text: "the newest commit of a branch"},
			{Command: "deployfs pull --depth=-1 origin:os/main", Text: "with its history"},
			{Command: "deployfs pull --mirror origin", Text: "all that the remote's summary lists, to serve it again"},
			{Command: "deployfs pull --subpath=/usr/bin origin os/main", Text: "only a part of the tree"},
		},
		CompleteOptions: completers{"timestamp-check-from-rev": completeRevs},
		Complete:        completeFetch,
		Run:             o.run,
	}
}

const pullText = `Fetches commits from a remote, with all that they need. BRANCHES are refs, checksums of commits, or REF@CHECKSUM for a ref that is to lead to that commit; without any, those that the remote's configuration lists are pulled. REMOTE may also be REMOTE:BRANCH.

What comes is checked before it is written: commits against their checksums, signatures, bindings and times, as the remote's configuration and the options say, everything else against its checksum. Refs move when all is durable on the disk. A pull that was cut off leaves no ref, and the next one goes on with what has come.`

// whatOptions say what is pulled.
func (o *pullOptions) whatOptions() []cli.Option {
	subpath := func(path string) error { o.Subpaths = append(o.Subpaths, path); return nil }
	return []cli.Option{
		cli.Flag(&o.CommitOnly, "commit-metadata-only", "", "Fetch only the commit metadata"),
		cli.String(&o.CacheDir, "cache-dir", "", "", "Use custom cache dir"),
		cli.Flag(&o.noSync, "disable-fsync", "", "Do not invoke fsync()"),
		cli.Flag(&o.syncEach, "per-object-fsync", "", "Perform writes in such a way that avoids stalling concurrent processes"),
		cli.Flag(&o.NoDeltas, "disable-static-deltas", "", "Do not use static deltas"),
		cli.Flag(&o.NeedDeltas, "require-static-deltas", "", "Require static deltas"),
		cli.Flag(&o.Mirror, "mirror", "", "Write refs suitable for a mirror and fetches all refs if none provided"),
		cli.Func(subpath, "subpath", "", "", "Only pull the provided subpath(s)"),
		cli.Flag(&o.Untrusted, "untrusted", "", "Verify checksums of local sources (always enabled for HTTP pulls)"),
		cli.Flag(&o.TrustServer, "http-trusted", "", "Do not verify checksums of HTTP sources (mostly useful when mirroring)"),
		cli.Flag(&o.Modest, "bareuseronly-files", "", "Reject regular files with mode outside of 0775 (world writable, suid, etc.)"),
		cli.Flag(&o.DryRun, "dry-run", "", "Only print information on what will be downloaded (requires static deltas)"),
		cli.String(&o.depth, "depth", "", "DEPTH", "Traverse DEPTH parents (-1=infinite) (default: 0)"),
	}
}

// howOptions say how it is.
func (o *pullOptions) howOptions() []cli.Option {
	cache := func(path string) error { o.caches = append(o.caches, path); return nil }
	return []cli.Option{
		cli.String(&o.URL, "url", "", "URL", "Pull objects from this URL instead of the one from the remote config"),
		stringsOption(&o.headers, "http-header", "NAME=VALUE", "Add NAME=VALUE as HTTP header to all requests"),
		o.number(frequency, "update-frequency", "FREQUENCY", "Sets the update frequency, in milliseconds (0=1000ms) (default: 0)"),
		o.number(retries, "network-retries", "N", "Specifies how many times each download should be retried upon error (default: 5)"),
		cli.Func(cache, "localcache-repo", "L", "REPO", "Add REPO as local cache source for objects during this pull"),
		cli.Flag(&o.Newer, "timestamp-check", "T", "Require fetched commits to have newer timestamps"),
		cli.String(&o.NewerThan, "timestamp-check-from-rev", "", "", "Require fetched commits to have newer timestamps than given rev"),
		cli.Flag(&o.Unbound, "disable-verify-bindings", "", "Do not verify commit bindings"),
		cli.Hidden(cli.String(&o.UserAgent, "append-user-agent", "", "", "Append string to user agent")),
		cli.Newer(cli.Flag(&o.noRetry, "disable-retry-on-network-errors", "", "Do not retry when network issues happen, instead fail automatically")),
		cli.Newer(o.number(slowest, "low-speed-limit-bytes", "N", "The average transfer speed per second below which a transfer is aborted (default: 1000)")),
		cli.Newer(o.number(slowTime, "low-speed-time-seconds", "N", "The time in seconds that the transfer speed should be below that (default: 30)")),
		cli.Newer(o.number(atOnce, "max-outstanding-fetcher-requests", "N", "The max amount of concurrent connections allowed")),
	}
}

// number is an option that is a number, -1 where it is not given.
type number struct {
	name  string
	text  *string
	value int
}

const (
	frequency = iota
	retries
	slowest
	slowTime
	atOnce
)

func (o *pullOptions) number(which int, name, arg, help string) cli.Option {
	text := "-1"
	o.numbers[which] = number{name: name, text: &text}
	return cli.String(&text, name, "", arg, help)
}

func (o *pullOptions) run(ctx context.Context, inv *cli.Invocation) error {
	if err := o.parse(); err != nil {
		return err
	}
	switch {
	case o.DryRun && !o.NeedDeltas:
		return cli.Words("--dry-run requires --require-static-deltas")
	case o.NoDeltas && o.NeedDeltas:
		return cli.Words("--disable-static-deltas and --require-static-deltas exclude each other")
	}
	dest, err := openWritable(inv)
	if err != nil {
		return err
	}
	defer dest.Close()
	if len(inv.Args) == 0 {
		return &cli.UsageError{Text: "REMOTE must be specified"}
	}
	name, err := o.branches(inv.Args)
	if err != nil {
		return err
	}
	closeCaches, err := o.openCaches()
	defer closeCaches()
	if err != nil {
		return err
	}
	overrideSync(dest, o.noSync, o.syncEach)
	o.Agent = agent(inv)
	return o.pull(ctx, inv, dest, name)
}

// parse reads numbers and headers.
func (o *pullOptions) parse() (err error) {
	if o.Depth, err = parseDepth(o.depth); err != nil {
		return err
	}
	for i := range o.numbers {
		n := &o.numbers[i]
		if n.value, err = parseInt(*n.text, n.name); err != nil {
			return err
		}
	}
	if n := o.numbers[retries].value; n >= 0 {
		o.Retries = &n
	}
	if o.noRetry {
		o.Retries = new(int)
	}
	o.Slowest = int64(max(o.numbers[slowest].value, 0))
	o.Stall = time.Duration(max(o.numbers[slowTime].value, 0)) * time.Second
	o.Requests = max(o.numbers[atOnce].value, 0)
	return o.parseHeaders()
}

func (o *pullOptions) parseHeaders() error {
	for _, text := range o.headers {
		name, value, ok := strings.Cut(text, "=")
		if !ok {
			return cli.Words("Missing '=' in --http-header")
		}
		o.Headers = append(o.Headers, fetch.Header{Name: name, Value: value})
	}
	return nil
}

// branches reads what is to be pulled, and returns the remote.
func (o *pullOptions) branches(args []string) (string, error) {
	if strings.Contains(args[0], ":") {
		spec, err := refs.Parse(args[0])
		if err != nil && strings.Contains(args[0], "://") {
			err = &urlError{err}
		}
		o.Refs = []string{spec.Ref}
		return spec.Remote, err
	}
	o.Commits = map[refs.Name]object.Checksum{}
	for _, arg := range args[1:] {
		ref := arg
		if at := strings.LastIndexByte(arg, '@'); at >= 0 {
			sum, err := object.ParseChecksum(arg[at+1:])
			if err != nil {
				return "", cli.Words("Invalid rev " + arg[at+1:])
			}
			ref = arg[:at]
			o.Commits[refs.Name{Ref: ref}] = sum
		}
		o.Refs = append(o.Refs, ref)
	}
	return args[0], nil
}

// urlError is a URL in the place of a remote.
type urlError struct{ error }

func (e *urlError) Hint() string {
	return "`deployfs remote add NAME URL` makes a remote of a URL; `deployfs pull-local PATH` pulls from a directory"
}

func (o *pullOptions) openCaches() (closeAll func(), err error) {
	closeAll = func() {
		for _, repo := range o.Caches {
			repo.Close()
		}
	}
	for _, path := range o.caches {
		repo, err := objstore.Open(absolute(path))
		if err != nil {
			return closeAll, err
		}
		o.Caches = append(o.Caches, repo)
	}
	return closeAll, nil
}

func (o *pullOptions) pull(ctx context.Context, inv *cli.Invocation, dest *objstore.Repo, name string) error {
	begin := time.Now()
	o.Progress = new(pull.Progress)
	meter := &pullMeter{progress: o.Progress, begin: begin, every: time.Duration(o.numbers[frequency].value) * time.Millisecond}
	progress := cli.StartProgress(inv.Stderr, meter.text)
	o.Warn = func(err error) {
		progress.Aside(func() { fmt.Fprintf(inv.Stderr, "warning: %v\n", err) })
	}
	r, err := pull.Remote(ctx, dest, name, o.RemoteOptions)
	progress.Stop("")
	if err != nil {
		return branchRemedy(err, name)
	}
	warnLossy(inv, dest, r)
	text := r.Describe(time.Since(begin))
	if o.DryRun {
		text = r.Plan
	}
	_, err = fmt.Fprintln(inv.Stdout, text)
	return err
}

// agent is how the program introduces itself to servers.
func agent(inv *cli.Invocation) string {
	name := inv.Program.Name
	if inv.Program.Release != "" {
		name = inv.Program.Release
	}
	return name + "/" + inv.Program.Version
}

// overrideSync has options count instead of the repository's configuration.
func overrideSync(dest *objstore.Repo, noSync, syncEach bool) {
	for key, value := range map[string]bool{"fsync": !noSync, "per-object-fsync": syncEach} {
		if noSync || syncEach {
			dest.Override("core", key, fmt.Sprint(value))
		}
	}
}

// warnLossy tells of files that the repository does not keep as they are.
func warnLossy(inv *cli.Invocation, dest *objstore.Repo, r pull.Result) {
	if r.Lossy > 0 {
		fmt.Fprintf(inv.Stderr, "warning: %d files have owners or xattrs that mode %s does not keep: fsck will find them corrupt\n", r.Lossy, dest.Mode())
	}
}

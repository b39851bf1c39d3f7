package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"deployfs/cmd/internal/cli"
	"deployfs/objstore"
	"deployfs/objstore/pull"
	"deployfs/objstore/refs"
	"deployfs/objstore/trust"
)

type pullLocalOptions struct {
	pull.Options
	named, noSync, syncEach, gpg, gpgSummary bool
	depth                                    string
}

func pullLocalVerb() cli.Verb {
	o := &pullLocalOptions{depth: "0"}
	remote := func(name string) error { o.Remote, o.named = name, true; return nil }
	return cli.Verb{
		Name: "pull-local", Args: "SRC_REPO [REFS...]", Short: "Copy data from SRC_REPO", Long: pullLocalText,
		Options: []cli.Option{
			cli.Flag(&o.CommitOnly, "commit-metadata-only", "", "Fetch only the commit metadata"),
			cli.Func(remote, "remote", "", "REMOTE", "Add REMOTE to refspec"),
			cli.Flag(&o.noSync, "disable-fsync", "", "Do not invoke fsync()"),
			cli.Flag(&o.syncEach, "per-object-fsync", "", "Perform writes in such a way that avoids stalling concurrent processes"),
			cli.Flag(&o.Untrusted, "untrusted", "", "Verify checksums of local sources (always enabled for HTTP pulls)"),
			cli.Flag(&o.Modest, "bareuseronly-files", "", "Reject regular files with mode outside of 0775 (world writable, suid, etc.)"),
			cli.Flag(&o.NeedDeltas, "require-static-deltas", "", "Require static deltas"),
			cli.Flag(&o.gpg, "gpg-verify", "", "GPG verify commits (must specify --remote)"),
			cli.Flag(&o.gpgSummary, "gpg-verify-summary", "", "GPG verify summary (must specify --remote)"),
			cli.Flag(&o.Unbound, "disable-verify-bindings", "", "Do not verify commit bindings"),
			cli.String(&o.depth, "depth", "", "DEPTH", "Traverse DEPTH parents (-1=infinite) (default: 0)"),
		},
		Examples: []cli.Example{
			{Command: "deployfs pull-local /srv/repo os/main", Text: "take over one branch, with all that its commit needs"},
			{Command: "deployfs pull-local --untrusted --depth=-1 /media/stick/repo", Text: "take over every branch with its history, and check all content"},
		},
		CompleteOptions: completers{"remote": completeRemoteName},
		Complete:        completePull,
		Run:             o.run,
	}
}

const pullLocalText = `Takes over commits from another repository of this machine, with all that they need; without REFS those of every ref. REFS are refs and checksums of commits.

Objects are hard links where both repositories keep them alike, are on one file system and belong to one owner; else they are copied, or written anew. A pull that was cut off is gone on with by the next one.

A damaged object is told on the standard error, and taken over all the same, as ostree does it; with --untrusted it is refused. Content that is linked is checked only with --untrusted. Objects that are no well-formed commits or directories are refused in any case.

A repository of mode bare-user-only takes no file with set-user-ID or other special bits, from bare-user neither, where ostree would link it and later find it corrupt.`

func (o *pullLocalOptions) run(ctx context.Context, inv *cli.Invocation) error {
	if err := o.parse(inv); err != nil {
		return err
	}
	dest, err := openWritable(inv)
	if err != nil {
		return err
	}
	defer dest.Close()
	if len(inv.Args) == 0 {
		return &cli.UsageError{Text: "DESTINATION must be specified"}
	}
	if (o.gpg || o.gpgSummary) && !o.named {
		return cli.Words("Must specify remote name to enable gpg verification")
	}
	if o.named && !refs.IsFragment(o.Remote) {
		return cli.Words("Invalid refspec " + o.Remote + ":" + strings.Join(o.Refs[:min(len(o.Refs), 1)], ""))
	}
	policy := trust.ForLocalPull(dest, o.Remote, o.gpg, o.gpgSummary)
	if policy.WantsCommit() {
		o.VerifyCommit = policy.Commit
	}
	if policy.WantsSummary() {
		o.VerifySummary = policy.Summary
	}
	src, err := objstore.Open(absolute(inv.Args[0]))
	if err != nil {
		return err
	}
	defer src.Close()
	overrideSync(dest, o.noSync, o.syncEach)
	return o.pull(ctx, inv, dest, src)
}

// parse reads what the options and arguments say.
func (o *pullLocalOptions) parse(inv *cli.Invocation) error {
	n, err := parseDepth(o.depth)
	if err != nil {
		return err
	}
	if text := strings.TrimSpace(o.depth); n == 0 && strings.HasPrefix(text, "-") && text != "-0" {
		return &cli.UsageError{Text: "--depth takes -1 or more"}
	}
	o.Depth = n
	if len(inv.Args) > 1 {
		o.Refs = inv.Args[1:]
	}
	return nil
}

func (o *pullLocalOptions) pull(ctx context.Context, inv *cli.Invocation, dest, src *objstore.Repo) error {
	begin := time.Now()
	o.Progress = new(pull.Progress)
	progress := cli.StartProgress(inv.Stderr, func() string { return localProgress(o.Progress) })
	o.Warn = func(err error) {
		progress.Aside(func() { fmt.Fprintf(inv.Stderr, "warning: %v\n", err) })
	}
	r, err := pull.Local(ctx, dest, src, o.Options)
	progress.Stop("")
	if err != nil {
		return err
	}
	warnLossy(inv, dest, r)
	_, err = fmt.Fprintln(inv.Stdout, r.Describe(time.Since(begin)))
	return err
}

// localProgress tells how far a pull from this machine has come.
func localProgress(p *pull.Progress) string {
	if left := p.Left.Load(); left > 0 {
		return fmt.Sprintf("Writing objects: %d", left)
	}
	return fmt.Sprintf("Scanning metadata: %d", p.Scanned.Load())
}

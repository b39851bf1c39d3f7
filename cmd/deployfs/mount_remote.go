package main

import (
	"context"
	"fmt"
	"time"

	"deployfs/cmd/internal/cli"
	"deployfs/mount"
	"deployfs/mount/daemon"
	"deployfs/objstore/lazy"
)

// runRemote mounts a commit that is on a server.
func (o *mountOptions) runRemote(ctx context.Context, inv *cli.Invocation) error {
	switch {
	case o.cfg.History:
		return &cli.UsageError{Text: "--remote is for a single commit, not for --history"}
	case len(inv.Args) != 1:
		return &cli.UsageError{Text: fmt.Sprintf("with --remote a mountpoint is needed, not %d arguments", len(inv.Args))}
	}
	target, err := lazy.ParseTarget(o.cfg.Remote)
	if err != nil {
		return &cli.UsageError{Text: err.Error()}
	}
	if o.cfg.Rev = target.Ref; target.Remote != "" {
		o.cfg.Rev = target.Remote + ":" + target.Ref
	}
	o.cfg.Repo, o.cfg.Keep, o.cfg.Mountpoint = repoPath(inv), absolute(o.cfg.Keep), inv.Args[0]
	if err := o.mount(ctx, inv); err != nil || o.printOnly || o.foreground {
		return err
	}
	if stale := staleMount(o.cfg.Mountpoint); stale != nil {
		inv.Note(fmt.Sprintf("note: %s; mounted is what was there when it answered last, commit %s", stale.Remote.Stale, stale.Commit))
	}
	return nil
}

// staleMount is the mount at a mountpoint, if its server did not answer.
func staleMount(path string) *daemon.Status {
	entry, err := mount.Lookup(path)
	if err != nil {
		return nil
	}
	list, err := daemon.List()
	if err != nil {
		return nil
	}
	for _, s := range list {
		if s.Device == entry.Dev.String() && s.Remote != nil && s.Remote.Stale != "" {
			return &s
		}
	}
	return nil
}

// timeoutOption takes seconds, or a duration such as 1m30s.
func timeoutOption(d *time.Duration) cli.Option {
	set := func(text string) (err error) {
		if *d, err = time.ParseDuration(text); err != nil {
			*d, err = time.ParseDuration(text + "s")
		}
		if err != nil || *d <= 0 {
			return fmt.Errorf("%q is no time: want seconds, or a duration such as 1m30s", text)
		}
		return nil
	}
	return cli.Func(set, "timeout", "", "TIME", "With --remote: how long the server may be silent (30s)")
}

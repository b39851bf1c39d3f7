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

const mountRemoteText = `With --remote, the commit is on a server: in an unmodified archive repository at an http, https or file URL, or that of a remote which is configured in the repository here. It is mounted at once, and what is looked at is fetched: directories and, of files, the first KiB, where size, mode, owner and xattrs stand; content, whole, when it is first read; each checked against its name before anything of it is shown. Whoever goes through a directory has what follows fetched meanwhile. REF is a ref of the server's summary, or of refs/heads where there is none; one with ^ for its parent; or a checksum; without REF, it is the only ref that there is. A commit that says that it is made for other refs is refused. Of a configured remote all that a pull demands must be signed is demanded (gpg-verify, which is true by default, gpg-verify-summary, sign-verify, sign-verify-summary), and its mirrors, proxy, certificates, cookies and headers count; of a URL nothing is, so use https, a checksum, or --require-signature, whose keys are the system's or with --sign-remote those of a remote.

What stat(2) shows of a file that was not read is what the server says, as its checksum covers header and content together. If that is a lie, the file can't be read: what was shown of it is compared with the object, and a difference is an input/output error for as long as the mount lasts.

What was fetched is kept in the directory remote below --cache-dir, an archive repository that all mounts and verbs of a user share, whichever server it came from; beyond --cache-size what was used least recently goes. With --keep it is also put into a repository of any mode, by a process of its own, which is not confined and verifies all of it again, a moment later: the commit is marked as partial there, and REMOTE:REF leads to it, or with a URL the ref of the remote that has it, else of one named as the host; what that repository demands of what it pulls from this remote is demanded, too. So deployfs mount REMOTE:REF shows what is there, and ostree pull fetches only what is missing. That repository, and with REMOTE:REF the one that has the remote, are searched before anything is fetched. No tree index is used or built, since that takes every file.

When the server does not answer, what is here can be read, and statfs(2) never waits. Whoever needs more waits as long as --timeout says at most, while the request is tried again, and then gets an input/output error; so does at once everybody who comes in the second after that. When the server is back, files can be read again, with no remount. The system's log has one line for each of the two. If the server does not answer when a ref is to be mounted, what it meant the last time is, if it is still trusted, and a note says so. deployfs mounts tells what was fetched.`

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
	o.cfg.Agent = agent(inv)
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

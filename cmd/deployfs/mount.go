package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"deployfs/cmd/internal/cli"
	"deployfs/fs"
	"deployfs/mount/daemon"
)

type mountOptions struct {
	cfg        daemon.Config
	foreground bool
	printOnly  bool // the unit
	automount  bool
}

func mountVerb() cli.Verb {
	o := &mountOptions{cfg: daemon.Default("", "", "")}
	return cli.Verb{
		Name: "mount", Args: "{REV|--history|--remote=URL#REF} MOUNTPOINT", Short: "Mount a commit, or all of them", Ours: true,
		Long: mountText,
		Options: []cli.Option{
			cli.Flag(&o.cfg.History, "history", "", "Show the whole repository: all commits, by checksum, ref, date and version"),
			cli.String(&o.cfg.Remote, "remote", "", "URL[#REF]|REMOTE:REF", "Show a commit that is on a server, and fetch what is looked at"),
			cli.String(&o.cfg.Keep, "keep", "", "DIR", "With --remote: put what is fetched into this repository"),
			timeoutOption(&o.cfg.Timeout),
			cli.String(&o.cfg.Subpath, "subpath", "", "PATH", "Show only this directory of the commit"),
			cli.String(&o.cfg.Overlay, "overlay", "", "DIR", "Make the tree writable; changes are kept below DIR"),
			verifyOption(&o.cfg.Verify),
			cli.Flag(&o.cfg.RequireSignature, "require-signature", "", "Refuse a commit that is not signed with a trusted key"),
			signRemoteOption(&o.cfg),
			dataOption(&o.cfg.Data),
			mtimeOption(&o.cfg.CommitMtime),
			cli.Flag(&o.cfg.AllowOther, "allow-other", "", "Let other users in; file modes say who may do what"),
			cli.Flag(&o.cfg.NoSuid, "nosuid", "", "Ignore setuid bits and file capabilities"),
			cli.Flag(&o.cfg.NoExec, "noexec", "", "Execute no programs of the tree"),
			cli.Flag(&o.cfg.NonEmpty, "nonempty", "", "Mount over a directory that has entries"),
			cli.Flag(&o.cfg.NoLock, "no-lock", "", "Do not hold the repository's lock, so that prune need not wait"),
			sizeOption(&o.cfg.Memory, "memory", "Memory for decoded directories (64M)"),
			sizeOption(&o.cfg.CacheSize, "cache-size", "Disk for inflated content of archive repositories, and as much for what is fetched (1G)"),
			cacheDirOption(&o.cfg.CacheDir),
			cli.Flag(&o.cfg.NoIndex, "no-index", "", "Neither use nor build a tree index"),
			cli.Flag(&o.cfg.NoConfine, "no-confine", "", "Let the server keep all rights; to find out whether confinement is what fails"),
			cli.Flag(&o.foreground, "foreground", "", "Keep the mount in this process, until it is taken away, and log to standard error"),
			cli.Flag(&o.printOnly, "print-unit", "", "Do not mount, but print a unit of systemd that mounts with these options"),
			cli.Flag(&o.automount, "automount", "", "With --print-unit: a mount unit, and an automount unit that starts it at the first look"),
		},
		Examples: []cli.Example{
			{Command: "deployfs mount --repo=/srv/repo os/main /mnt", Text: "the newest commit of a ref"},
			{Command: "deployfs mount os/main^ /mnt", Text: "the one before"},
			{Command: "deployfs mount --history /mnt", Text: "everything: /mnt/refs/os/main, /mnt/by-date/latest, ..."},
			{Command: "deployfs mount --subpath=/usr os/main /mnt", Text: "its /usr alone"},
			{Command: "deployfs mount --require-signature origin:os/main /mnt", Text: "only when a key of the remote origin signed it"},
			{Command: "deployfs mount --overlay=/var/tmp/trial os/main /mnt", Text: "with a writable layer that outlives the mount"},
			{Command: "deployfs mount --remote=https://example.org/repo#os/main /mnt", Text: "what is on a server"},
			{Command: "deployfs mount --remote origin:os/main --keep=/srv/repo /mnt", Text: "the same of a configured remote, so that a pull finds much of it done"},
			{Command: "deployfs mount --print-unit os/main /mnt >/etc/systemd/system/deployfs-mnt.service", Text: "for systemd to mount it at each boot"},
		},
		CompleteOptions: completers{"remote": completeRemoteRef, "sign-remote": completeRemoteName},
		Complete:        completeRevDir,
		Run:             o.run,
	}
}

const mountText = `The tree at MOUNTPOINT is what a checkout of REV as root would be: types, modes, owners, sizes, extended attributes, symbolic links and contents, with times of 0. Nothing is copied, whatever the size of the tree. It is read-only. The command returns when the tree can be used; a server stays in the background until the mount is taken away, and a keeper that starts another server when that one dies, by whatever means: files stay open, and whoever reads waits until the new one answers. A server that dies five times in ten seconds is started again after growing pauses. A signal that ends either process (SIGTERM) takes the mount away; whoever still has files open gets two seconds. When keeper and server are killed, the mount is dead, and deployfs umount clears it. See deployfs-upgrade(1), too.

Objects are checked against their names: directories when they are first read, files when they are first read (--verify=first), also at each open (always), or never (none). A file whose object is absent or damaged answers with an input/output error, and with one line in the system's log; everything else stays readable. Attributes that stat(2) shows are those of the repository until the file itself is read.

With --require-signature the commit must have a good signature, or it is not mounted: of type gpg, ed25519 or spki, by a key that counts for the remote that REV names as REMOTE:REF, or that --sign-remote names. These are the remote's own keys: its keyring REMOTE.trustedkeys.gpg, what its gpgkeypath, verification-ed25519-key and verification-ed25519-file and the same for spki name. Only where it has none of any type, and where there is no remote, keys of the system count: trusted.ed25519, trusted.ed25519.d and the same for spki in /etc/ostree and /usr/share/ostree, and the keyrings in /usr/share/ostree/trusted.gpg.d.

One good signature is enough, but where the remote's configuration sets both gpg-verify and sign-verify to true, one of GPG and another one are needed. When sign-verify lists types, only these count, by the remote's own keys, and GPG beside them when gpg-verify is true; GPG never counts when gpg-verify is false. A key that is revoked or has expired does not count, nor one in revoked.ed25519, revoked.spki or the directories revoked.ed25519.d and revoked.spki.d of the system.

A tree index tells of every entry what a walk needs, so that no object is opened for it. A mount uses the one that there is, or has one built in the background a second after it was made; see deployfs-index(1). With --no-index it does neither.

With --history the whole repository is shown. commits/CHECKSUM is the tree of a commit. refs/REF, remotes/REMOTE/REF and mirrors/COLLECTION/REF are links to the trees of refs, by-date/YYYY/MM/DD/HHMMSS-SHORT (UTC) and by-version/REF/VERSION (of the ref's history) to those of all commits; latest in by-date is the newest commit, in by-version/REF the ref's own. Of two commits with one version the newest has its plain name, others are VERSION~SHORT; in names, control characters, slashes, percent signs and a leading dot are written as %XX. In each directory that has links to trees, or trees, there is a directory .commit, where the same names lead to what is told of the commit: message, date, version, commit.json, metadata.json, detached.json, signatures.json, and links to its tree and to its parent's facts. All names come and go with what they stand for; a link to a commit that is not in the repository is not shown. Of a parent repository (core.parent) the commits are shown, and not the refs. Metadata of more than 256 KiB is told in outline; deployfs-show(1) has it all. Such a mount holds no lock: what is deleted is gone from it.

` + mountRemoteText + `

How content reaches the kernel is chosen by --data. With cached, the kernel opens files without asking and keeps what it read: best for many files. With passthrough, each open is asked for, and then the kernel reads the repository's own file: best for large files, and for mapped ones; it takes root and Linux 6.9. By default, auto, passthrough is taken where files have a mebibyte or more on average as the index says, and it is possible; deployfs-mounts(1) tells what was taken, and why. Archive content is inflated once, into a directory that all mounts share and that keeps to --cache-size bytes.

What was verified once is remembered for the next mount, as long as the file's identity and change time are the same and nobody but its reader and root can write to it.

While it is mounted, the repository's lock is held as a transaction of ostree holds it: ostree prune waits, as long as core.lock-timeout-secs says, and deployfs prune keeps the commit without waiting. With --no-lock it waits no longer than an index is being built; then, or where the repository can't be written, prune may delete what is mounted; then files that were not read before answer with an input/output error, never with wrong bytes.

With --overlay, writes go to DIR, which afterwards belongs to this commit and this --subpath: mounting another one with it is refused. It needs root. Other users get in as file modes allow, with and without --allow-other.

Without root the mount is made by fusermount3, which has to be installed, and is nosuid and nodev; the mountpoint must be writable; other users, root among them, can't enter unless /etc/fuse.conf says user_allow_other; file modes still count, so that files which only root may read stay closed; trusted.* attributes are not listed, and a bare repository's objects that have them, or that only root may read, answer with an error.

Where access is restricted by POSIX ACLs, the kernel follows them.

Once the tree is mounted, the server gives up what it does not need to show it, for good: capabilities but those for reading objects of other owners and, in a bare repository, trusted.* attributes; with Landlock, every file but the repository and its parents, which it may read, and the cache directory and REPO/deployfs, which it may write; with seccomp, system calls such as mount, ptrace, chmod and connect, and every network socket. It can't gain privileges (no_new_privs), run a program but itself as the index builder, or leave a core dump. With --remote it keeps sockets of IPv4 and IPv6, and with Linux 6.7 connections of TCP to the ports of its URLs and proxies and to 80, 443, 1080 and 53; may read /etc/resolv.conf, /etc/hosts and /etc/nsswitch.conf; has read certificates of authorities and of its own before, so that others count after deployfs upgrade; and gives up Unix sockets and, unless repositories of this machine are searched, too, all capabilities. How much of this there is depends on the kernel: Linux 5.19 for Landlock, 6.12 for all of it; "confinement" in deployfs mounts --json says what was applied. With --no-confine the server keeps every right of who mounts: use it when something fails that should not, a repository with parts that are symbolic links to elsewhere perhaps, and report that.

mount(8) mounts it, too: mount -t fuse.deployfs REPO#REV MOUNTPOINT -o OPTIONS, and a line of /etc/fstab does the same. The options are those of this verb without the dashes, such as verify=always,allow-other,subpath="/a,b", and those that mount(8) knows of every file system; of these ro, rw, dev and those about times and writing change nothing. Who mounts again what is mounted there already changes nothing.

With --print-unit, a service unit of systemd is printed: started means that the tree can be read, stopping it ends the mount. Where it should be kept stands in its first lines. It is ordered as file systems are: before local-fs.target, or before remote-fs.target when the repository or a directory that is named comes by the network; for a user, in default.target. For the root directory and what lies below /usr and /sysroot it is not stopped at shutdown, since the system runs from it. With --automount there are two units, to be kept in two files: a mount unit, for which systemd calls mount(8), and an automount unit that starts it when somebody first looks.`

func (o *mountOptions) run(ctx context.Context, inv *cli.Invocation) error {
	if o.cfg.Remote != "" {
		return o.runRemote(ctx, inv)
	}
	switch {
	case o.cfg.Keep != "":
		return &cli.UsageError{Text: "--keep goes with --remote"}
	case o.cfg.Timeout != 0:
		return &cli.UsageError{Text: "--timeout goes with --remote"}
	case o.cfg.History && len(inv.Args) != 1:
		return &cli.UsageError{Text: fmt.Sprintf("with --history a mountpoint is needed, not %d arguments", len(inv.Args))}
	case !o.cfg.History && len(inv.Args) != 2:
		return &cli.UsageError{Text: fmt.Sprintf("a commit and a mountpoint are needed, not %d arguments", len(inv.Args))}
	case o.cfg.History:
		inv.Args = append([]string{""}, inv.Args...)
	}
	o.cfg.Repo, o.cfg.Rev, o.cfg.Mountpoint = repoPath(inv), inv.Args[0], inv.Args[1]
	if option := o.oneCommit(); o.cfg.History && option != "" {
		return &cli.UsageError{Text: option + " is for a single commit, not for --history"}
	}
	return o.mount(ctx, inv)
}

// mount mounts, or prints units that do.
func (o *mountOptions) mount(ctx context.Context, inv *cli.Invocation) error {
	switch {
	case o.printOnly:
		return o.printUnit(inv)
	case o.automount:
		return &cli.UsageError{Text: "--automount goes with --print-unit"}
	case o.foreground:
		return daemon.Foreground(ctx, o.cfg)
	}
	return daemon.Start(ctx, o.cfg)
}

// oneCommit is an option that was given and makes no sense for all commits, or "".
func (o *mountOptions) oneCommit() string {
	switch {
	case o.cfg.Subpath != "":
		return "--subpath"
	case o.cfg.Overlay != "":
		return "--overlay"
	case o.cfg.RequireSignature:
		return "--require-signature"
	case o.cfg.CommitMtime:
		return "--mtime=commit"
	}
	return ""
}

func verifyOption(v *fs.Verify) cli.Option {
	set := func(text string) (err error) { *v, err = fs.ParseVerify(text); return err }
	option := cli.Func(set, "verify", "", "none|first|always", "When to check objects against their names (first)")
	option.Values = []string{"none", "first", "always"}
	return option
}

// signRemoteOption also demands a signature.
func signRemoteOption(cfg *daemon.Config) cli.Option {
	set := func(name string) error {
		cfg.SignRemote, cfg.RequireSignature = name, true
		return nil
	}
	return cli.Func(set, "sign-remote", "", "REMOTE", "The same, with the keys of REMOTE (of the remote that REV names, or the system's)")
}

func dataOption(d *daemon.Data) cli.Option {
	set := func(text string) (err error) { *d, err = daemon.ParseData(text); return err }
	option := cli.Func(set, "data", "", "auto|cached|passthrough", "How content reaches the kernel (auto)")
	option.Values = []string{"auto", "cached", "passthrough"}
	return option
}

func mtimeOption(commit *bool) cli.Option {
	set := func(text string) error {
		*commit = text == "commit"
		if text != "commit" && text != "zero" {
			return fmt.Errorf("%q is no time: want zero or commit", text)
		}
		return nil
	}
	option := cli.Func(set, "mtime", "", "zero|commit", "Time of every file: 1970, or the commit's (zero)")
	option.Values = []string{"zero", "commit"}
	return option
}

// sizeOption takes bytes, with K, M, G or T for powers of 1024.
func sizeOption(size *int64, name, help string) cli.Option {
	set := func(text string) error {
		digits := strings.TrimRight(text, "KMGT")
		n, err := strconv.ParseInt(digits, 10, 64)
		shift := 0
		if unit := text[len(digits):]; len(unit) == 1 {
			shift = 10 * (strings.Index("KMGT", unit) + 1)
		} else if unit != "" {
			err = strconv.ErrSyntax
		}
		if err != nil || n <= 0 || n > 1<<62>>shift {
			return fmt.Errorf("%q is no size: want a number of bytes such as 64M or 2G", text)
		}
		*size = n << shift
		return nil
	}
	return cli.Func(set, name, "", "SIZE", help)
}

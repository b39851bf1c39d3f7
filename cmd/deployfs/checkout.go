package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"deployfs/checkout"
	"deployfs/cmd/internal/cli"
	"deployfs/objstore"
	"deployfs/objstore/object"
	"deployfs/objstore/tree"
)

type checkoutOptions struct {
	user, noCache, allowNoent, plainDirs, zeroSized bool
	union, unionAdd, unionIdentical                 bool
	whiteouts, passthrough                          bool
	hardlinks, copies                               bool

	subpath        *string // nil when not given
	fromStdin      bool
	fromFile       *string // the same
	skipList       *string
	fsync          *string
	policy, prefix *string
	composefs      bool
}

func checkoutVerb() cli.Verb {
	o := new(checkoutOptions)
	return cli.Verb{
		Name: "checkout", Args: "COMMIT [DESTINATION]", Short: "Check out a commit into a filesystem tree", Long: checkoutText,
		Options: []cli.Option{
			cli.Flag(&o.user, "user-mode", "U", "Do not change file ownership or initialize extended attributes"),
			cli.Flag(&o.noCache, "disable-cache", "", "Do not update or use the internal repository uncompressed object cache"),
			given(&o.subpath, "subpath", "", "PATH", "Checkout sub-directory PATH"),
			cli.Flag(&o.union, "union", "", "Keep existing directories, overwrite existing files"),
			cli.Flag(&o.unionAdd, "union-add", "", "Keep existing files/directories, only add new"),
			cli.Flag(&o.unionIdentical, "union-identical", "", "When layering checkouts, error out if a file would be replaced with a different version, but add new files and directories"),
			cli.Flag(&o.whiteouts, "whiteouts", "", "Process 'whiteout' (Docker style) entries"),
			cli.Flag(&o.passthrough, "process-passthrough-whiteouts", "", "Enable overlayfs whiteout extraction into char 0:0 devices"),
			cli.Flag(&o.allowNoent, "allow-noent", "", "Do nothing if specified path does not exist"),
			cli.Flag(&o.fromStdin, "from-stdin", "", "Process many checkouts from standard input"),
			given(&o.fromFile, "from-file", "", "FILE", "Process many checkouts from input file"),
			given(&o.fsync, "fsync", "", "POLICY", "Specify how to invoke fsync()"),
			cli.Flag(&o.hardlinks, "require-hardlinks", "H", "Do not fall back to full copies if hardlinking fails"),
			cli.Hidden(cli.Flag(&o.zeroSized, "force-copy-zerosized", "z", "Do not hardlink zero-sized files")),
			cli.Flag(&o.copies, "force-copy", "C", "Never hardlink (but may reflink if available)"),
			cli.Flag(&o.plainDirs, "bareuseronly-dirs", "M", "Suppress mode bits outside of 0775 for directories (suid, world writable, etc.)"),
			given(&o.skipList, "skip-list", "", "FILE", "File containing list of files to skip"),
			given(&o.policy, "selinux-policy", "", "PATH", "Set SELinux labels based on policy in root filesystem PATH (may be /); implies --force-copy"),
			given(&o.prefix, "selinux-prefix", "", "PREFIX", "When setting SELinux labels, prefix all paths by PREFIX"),
			cli.Hidden(cli.Flag(&o.composefs, "composefs", "", "Only create a composefs blob")),
			cli.Hidden(cli.Flag(&o.composefs, "composefs-noverity", "", "Only create a composefs blob, and disable fsverity")),
		},
		Examples: []cli.Example{
			{Command: "deployfs checkout os/main /srv/root", Text: "the newest commit, as hard links where the repository is bare"},
			{Command: "deployfs checkout -U --subpath=/usr/share/doc os/main doc", Text: "a directory of it, owned by whoever calls"},
			{Command: "deployfs checkout -U --union extra /srv/root", Text: "another commit on top"},
		},
		CompleteOptions: completers{"subpath": completeSubpath},
		Complete:        completeRevDir,
		Run:             o.run,
	}
}

const checkoutText = `DESTINATION is made, in a directory that exists; without it, it is named like COMMIT. It gets its name when it is complete: a failure leaves nothing. Where DESTINATION exists, which needs one of the --union options, every file appears whole, but a failure leaves the files that were made before it.

Files are hard links to their objects where the repository has them just as they must be: bare repositories, and bare-user and bare-user-only with -U. From archive repositories files are inflated; with -U they are inflated once into a cache in the repository, and linked, unless --disable-cache or an option that ostree gained later is given. Everything else is cloned or copied. What is copied is checked against its checksum; what is linked is taken as it is.

Directories below DESTINATION that are symbolic links are not followed: that is an error.

--subpath takes what is in a directory, or one file into DESTINATION. --from-stdin and --from-file read pairs of COMMIT and PATH, each ended by a NUL, into one DESTINATION, which is then the only argument.

--skip-list names absolute paths, below --subpath if that is given, one on a line; that of a directory ends in a slash. --fsync=true writes to disk what was made, before a new DESTINATION gets its name; without it nothing is, as with ostree.

SELinux labels by policy and composefs images can't be made. --selinux-policy and --composefs are errors.`

// given takes the value of an option that may be absent.
func given(p **string, name, short, arg, help string) cli.Option {
	return cli.Func(func(text string) error { *p = &text; return nil }, name, short, arg, help)
}

func (o *checkoutOptions) run(ctx context.Context, inv *cli.Invocation) error {
	sync, err := o.sync()
	if err != nil {
		return err
	}
	repo, err := openRepo(inv)
	if err != nil {
		return err
	}
	defer repo.Close()
	if len(inv.Args) == 0 {
		return &cli.UsageError{Text: "COMMIT must be specified"}
	}
	count := new(checkout.Count)
	progress := cli.StartProgress(inv.Stderr, func() string {
		return fmt.Sprintf("%d entries, %s copied", count.Entries.Load(), objstore.FormatSize(uint64(count.Bytes.Load())))
	})
	defer progress.Stop("")
	c := checkouts{o: o, ctx: ctx, repo: repo, dest: inv.Args[0], sync: sync, count: count}
	if o.fromStdin || o.fromFile != nil {
		return c.many()
	}
	if len(inv.Args) > 1 {
		c.dest = inv.Args[1]
	}
	sum, err := repo.Resolve(inv.Args[0])
	if err != nil {
		return err
	}
	return c.one(sum, o.subpath)
}

// sync reads --fsync.
func (o *checkoutOptions) sync() (bool, error) {
	if o.fsync == nil {
		return false, nil
	}
	switch strings.ToLower(*o.fsync) {
	case "1", "true", "yes":
		return true, nil
	case "0", "false", "no", "none":
		return false, nil
	}
	return false, cli.Words("Invalid boolean argument '" + *o.fsync + "'")
}

// newStyle reports whether an option is given with which ostree takes its newer code, which has no cache.
func (o *checkoutOptions) newStyle() bool {
	return o.noCache || o.whiteouts || o.hardlinks || o.unionAdd || o.copies || o.zeroSized || o.plainDirs || o.unionIdentical ||
		o.skipList != nil || o.policy != nil || o.prefix != nil || o.passthrough
}

// checkouts are one or more trees that go to one destination.
type checkouts struct {
	o     *checkoutOptions
	ctx   context.Context
	repo  *objstore.Repo
	dest  string
	sync  bool
	count *checkout.Count
}

// one checks out what is at subpath in a commit.
func (c *checkouts) one(commit object.Checksum, subpath *string) error {
	options, err := c.o.parse()
	if err != nil {
		return err
	}
	options.Sync, options.Count = c.sync, c.count
	if subpath != nil {
		options.Subpath = *subpath
	}
	dest := c.dest
	if options.Cache {
		dest = absolute(dest) // as ostree shows it in messages then
	}
	if subpath != nil && *subpath == "" {
		err = &tree.Error{Path: "/", Err: unix.ENOENT}
	} else {
		err = contentError(c.repo, checkout.Tree(c.ctx, c.repo, commit, dest, options))
	}
	var nowhere *tree.Error
	if c.o.allowNoent && errors.As(err, &nowhere) && nowhere.Err == unix.ENOENT {
		return nil
	}
	return err
}

package main

import (
	"context"

	"golang.org/x/sys/unix"

	"deployfs/cmd/internal/cli"
	"deployfs/objstore"
	"deployfs/objstore/tarball"
	"deployfs/objstore/tree"
)

// exportOptions are the options of export.
type exportOptions struct {
	noXattrs       bool
	prefix, output string
	subpath        *string // nil when not given
	toFile         bool
}

func exportVerb() cli.Verb {
	var o exportOptions
	return cli.Verb{
		Name: "export", Raw: true, Args: "COMMIT", Short: "Stream COMMIT to stdout in tar format",
		Long: "The archive is one of GNU tar, to the byte as ostree writes it. Extended attributes, which ostree leaves out, stand in pax headers before the files that have them, where GNU tar (--xattrs), bsdtar and 'commit --tree=tar=' find them. All files have the time of the commit.\n\n" +
			"Content is checked against its checksum while it is written. When that fails, the exit status is 1, and a file of -o is left as it was.",
		Options: []cli.Option{
			cli.Flag(&o.noXattrs, "no-xattrs", "", "Skip output of extended attributes"),
			given(&o.subpath, "subpath", "", "PATH", "Checkout sub-directory PATH"),
			cli.String(&o.prefix, "prefix", "", "PATH", "Add PATH as prefix to archive pathnames"),
			cli.Func(func(path string) error { o.output, o.toFile = path, true; return nil }, "output", "o", "PATH", "Output to PATH "),
		},
		Examples: []cli.Example{
			{Command: "deployfs export os/main | zstd > main.tar.zst", Text: "the newest commit as an archive"},
			{Command: "deployfs export os/main --subpath=/usr/etc --prefix=etc/ -o etc.tar", Text: "one directory, under another name"},
		},
		CompleteOptions: completers{"subpath": completeSubpath},
		Complete:        completeRev,
		Run:             func(ctx context.Context, inv *cli.Invocation) error { return runExport(ctx, inv, o) },
	}
}

func runExport(ctx context.Context, inv *cli.Invocation, o exportOptions) error {
	if len(inv.Args) == 0 {
		return &cli.UsageError{Text: "A COMMIT argument is required"}
	}
	repo, err := openRepo(inv)
	if err != nil {
		return err
	}
	defer repo.Close()
	dir, options, err := findExport(repo, inv.Args[0], o)
	if err != nil {
		return err
	}
	if !o.toFile {
		options.Records = true
		return contentError(repo, tarball.Export(ctx, inv.Stdout, repo, dir, options))
	}
	out, err := createOutput(o.output)
	if err != nil {
		return err
	}
	defer out.abort()
	options.Records = out.device
	if err := tarball.Export(ctx, out, repo, dir, options); err != nil {
		return contentError(repo, err)
	}
	return out.finish()
}

// findExport finds the directory that is to be archived.
func findExport(repo *objstore.Repo, rev string, o exportOptions) (dir tree.Entry, options tarball.ExportOptions, err error) {
	sum, err := repo.Resolve(rev)
	if err != nil {
		return dir, options, err
	}
	commit, err := repo.Commit(sum)
	if err != nil {
		return dir, options, err
	}
	dir = tree.Root(commit)
	switch {
	case o.subpath == nil:
	case *o.subpath == "":
		err = &tree.Error{Path: "/", Err: unix.ENOENT}
	default:
		if dir, err = lookup(repo, dir, *o.subpath); err == nil && !dir.IsDir() {
			err = cli.Words("Not a directory: " + dir.Path)
		}
	}
	return dir, tarball.ExportOptions{Prefix: o.prefix, Time: commit.Timestamp, NoXattrs: o.noXattrs}, err
}

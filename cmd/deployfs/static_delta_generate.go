package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"deployfs/cmd/internal/cli"
	"deployfs/mount/daemon"
	"deployfs/objstore"
	"deployfs/objstore/delta/compile"
	"deployfs/objstore/object"
)

// generateOptions are those of static-delta generate.
type generateOptions struct {
	from, to                         string
	empty, inline, noBsdiff          bool
	ifNotExists                      bool
	endianness                       string
	swap                             bool
	minFallback, maxBsdiff, maxChunk string // megabytes; "" is the default
	filename                         *string
	signers                          signerOptions
}

func staticDeltaGenerateVerb() cli.Verb {
	o := &generateOptions{}
	return cli.Verb{
		Name: "generate", Args: "[TO]", Short: "Generate static delta files",
		Long: "The delta leads to TO from its parent, from what --from names, or from nothing. Files that resemble one of the old commit, by name and size, become a patch of that; " +
			"others go in whole, or, when they have more than 4 MB (--min-fallback-size), are left to be fetched by themselves: with 0 none is.\n\n" +
			"The delta is in the repository when all of it is written; `deployfs summary -u` has others find it. " +
			"With --filename it is written to that file, its parts beside it: with --inline it is one file, which `static-delta apply-offline` takes.\n\n" +
			"Sizes are in millions of bytes. What is done is told on stderr. " + secretText,
		Options: []cli.Option{
			cli.String(&o.from, "from", "", "REV", "Create delta from revision REV"),
			cli.Flag(&o.empty, "empty", "", "Create delta from scratch"),
			cli.Flag(&o.inline, "inline", "", "Inline delta parts into main delta"),
			cli.String(&o.to, "to", "", "REV", "Create delta to revision REV"),
			cli.Flag(&o.noBsdiff, "disable-bsdiff", "", "Disable use of bsdiff"),
			cli.Flag(&o.ifNotExists, "if-not-exists", "n", "Only generate if a delta does not already exist"),
			cli.String(&o.endianness, "set-endianness", "", "ENDIAN", "Choose metadata endianness ('l' or 'B')"),
			cli.Flag(&o.swap, "swap-endianness", "", "Swap metadata endianness from host order"),
			cli.String(&o.minFallback, "min-fallback-size", "", "MEGABYTES", "Minimum uncompressed size in megabytes for individual HTTP request"),
			cli.String(&o.maxBsdiff, "max-bsdiff-size", "", "MEGABYTES", "Maximum size in megabytes to consider bsdiff compression for input files"),
			cli.String(&o.maxChunk, "max-chunk-size", "", "MEGABYTES", "Maximum size of delta chunks in megabytes"),
			cli.Func(func(name string) error { o.filename = &name; return nil }, "filename", "", "PATH", "Write the delta content to PATH (a directory).  If not specified, the OSTree repository is used"),
			stringsOption(&o.signers.keys, "sign", "KEY_ID", "Sign the delta with"),
			schemeOption(&o.signers.scheme, "sign-type", ""),
			cli.String(&o.signers.keyFile, "keys-file", "", "NAME", "Read key(s) from file"),
		},
		Examples: []cli.Example{
			{Command: "deployfs static-delta generate os/main", Text: "from the parent of the newest commit"},
			{Command: "deployfs static-delta generate --from=v1 --to=v2 --inline --min-fallback-size=0 --filename=update.delta", Text: "an update in one file, to be carried on a stick"},
		},
		CompleteOptions: completers{"from": completeRevs, "to": completeRevs},
		Complete:        completeRev,
		Run:             withRepo(o.run),
	}
}

func (o *generateOptions) run(ctx context.Context, inv *cli.Invocation, repo *objstore.Repo) error {
	if err := repo.CheckWritable(); err != nil {
		return err
	}
	d, err := o.delta(inv, repo)
	if err != nil {
		return err
	}
	if o.ifNotExists && hasDelta(repo, d) {
		_, err := fmt.Fprintf(inv.Stdout, "Delta %s already exists.\n", d)
		return err
	}
	options, err := o.options(inv)
	if err != nil {
		return err
	}
	from := "empty"
	if !d.From.IsZero() {
		from = d.From.String()
	}
	fmt.Fprintf(inv.Stdout, "Generating static delta:\n  From: %s\n  To:   %s\n", from, d.To)
	if err := inv.Stdout.Flush(); err != nil {
		return err
	}
	if o.filename != nil {
		if options.Filename = *o.filename; options.Filename == "" {
			return cli.Words("Invalid 'filename' parameter")
		}
	}
	if options.Signers, err = o.signers.signers(); err != nil {
		return err
	}
	meter := startDeltaMeter(inv.Stderr)
	options.Log = meter
	err = compile.Run(ctx, repo, d.From, d.To, options)
	meter.progress.Stop("")
	return parentRemedy(err, d.From, o.from == "")
}

// delta is what the delta leads from and to.
func (o *generateOptions) delta(inv *cli.Invocation, repo *objstore.Repo) (d objstore.Delta, err error) {
	if o.to == "" && len(inv.Args) > 0 {
		o.to = inv.Args[0]
	}
	switch {
	case o.to == "":
		return d, cli.Words("TO revision must be specified")
	case o.empty && o.from != "":
		return d, cli.Words("Cannot specify both --empty and --from=REV")
	}
	from := cmp.Or(o.from, o.to+"^")
	if !o.empty {
		if d.From, err = repo.Resolve(from); err != nil {
			return d, parentRemedy(err, d.From, o.from == "")
		}
	}
	d.To, err = repo.Resolve(o.to)
	return d, err
}

// parentRemedy tells who means the parent, which there is not, what else a delta leads from.
func parentRemedy(err error, parent object.Checksum, meant bool) error {
	absent := (*object.NotExistError)(nil)
	switch {
	case err == nil, !meant:
		return err
	case strings.HasSuffix(err.Error(), " has no parent"):
	case errors.As(err, &absent) && absent.Object.Kind == object.KindCommit && absent.Object.Checksum == parent:
	default:
		return err
	}
	return &daemon.Failure{Text: err.Error(), Remedy: "--empty makes a delta from nothing, --from=REV one from REV"}
}

// hasDelta reports whether the repository holds a delta.
func hasDelta(repo *objstore.Repo, d objstore.Delta) bool {
	dir, err := repo.OpenDir(d.Path())
	if err != nil {
		return false
	}
	defer dir.Close()
	return unix.Faccessat(int(dir.Fd()), "superblock", unix.F_OK, 0) == nil
}

// options are those that say how the delta is made.
func (o *generateOptions) options(inv *cli.Invocation) (c compile.Options, err error) {
	c = compile.Options{Limits: compile.DefaultLimits, NoBsdiff: o.noBsdiff, Inline: o.inline}
	switch o.endianness {
	case "", "l":
		c.Big = o.swap
	case "B":
		c.Big = !o.swap
	default:
		return c, cli.Words("Invalid endianness '" + o.endianness + "'")
	}
	for _, l := range []struct {
		text string
		size *uint64
	}{{o.minFallback, &c.Limits.Fallback}, {o.maxBsdiff, &c.Limits.Bsdiff}, {o.maxChunk, &c.Limits.Chunk}} {
		if err := megabytes(l.text, l.size); err != nil {
			return c, err
		}
	}
	return c, nil
}

// megabytes sets a size to what an option says in millions of bytes; without one it stays.
func megabytes(text string, size *uint64) error {
	if text == "" {
		return nil
	}
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return &cli.UsageError{Text: "'" + text + "' is no number of megabytes"}
	}
	*size = n * compile.Megabyte
	return nil
}

package main

import (
	"context"
	"fmt"
	"io"

	"deployfs/cmd/internal/cli"
	"deployfs/objstore"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
)

type showOptions struct {
	related, listKeys, listDetached, sizes, raw, noSwap, hex bool

	key, detachedKey                *string // nil when not given
	variantType, gpgHome, gpgRemote string
}

func showVerb() cli.Verb {
	o := new(showOptions)
	return cli.Verb{
		Name: "show", Args: "OBJECT | REV:PATH...", Short: "Output a metadata object", JSON: true, Pager: true,
		Long: "OBJECT is a commit, or the checksum of a commit, dirmeta, dirtree or file. A REV:PATH shows what stands at a path in a commit: of a file what it has beside its content, of a directory that and its entries, as ls -l does.\n\n" + revPathText + "\n\n" + farText + "\n\nSignatures are checked: OpenPGP ones with the keys of all the repository's keyrings and the global ones, others with those of all remotes and of the system, or both with those that count for one remote (--gpg-verify-remote).",
		Options: []cli.Option{
			cli.Flag(&o.related, "print-related", "", "Show the \"related\" commits"),
			cli.String(&o.variantType, "print-variant-type", "", "TYPE", "Memory map OBJECT (in this case a filename) to the GVariant type string"),
			cli.Flag(&o.listKeys, "list-metadata-keys", "", "List the available metadata keys"),
			given(&o.key, "print-metadata-key", "", "KEY", "Print string value of metadata key"),
			cli.Flag(&o.hex, "print-hex", "", "For byte array valued keys, output an unquoted hexadecimal string"),
			cli.Flag(&o.listDetached, "list-detached-metadata-keys", "", "List the available detached metadata keys"),
			given(&o.detachedKey, "print-detached-metadata-key", "", "KEY", "Print string value of detached metadata key"),
			cli.Flag(&o.sizes, "print-sizes", "", "Show the commit size metadata"),
			cli.Flag(&o.raw, "raw", "", "Show raw variant data"),
			cli.Flag(&o.noSwap, "no-byteswap", "B", "Do not automatically convert variant data from big endian"),
			cli.String(&o.gpgHome, "gpg-homedir", "", "HOMEDIR", "GPG Homedir to use when looking for keyrings"),
			cli.String(&o.gpgRemote, "gpg-verify-remote", "", "REMOTE", "Use REMOTE name for GPG configuration"),
		},
		Examples: []cli.Example{
			{Command: "deployfs show os/main", Text: "the newest commit"},
			{Command: "deployfs show os/main:/usr/lib", Text: "a directory of it"},
			{Command: "deployfs show --print-metadata-key=version os/main", Text: "one key of its metadata"},
			{Command: "deployfs show --raw os/main", Text: "every field; note that integers of the metadata are printed byte-swapped, as ostree does (-B does not)"},
		},
		CompleteOptions: completers{"gpg-verify-remote": completeRemoteName},
		Complete:        completeRevPath,
		Run:             withFar(true, o.run),
	}
}

func (o *showOptions) run(_ context.Context, inv *cli.Invocation, repo *objstore.Repo) error {
	if len(inv.Args) == 0 {
		return &cli.UsageError{Text: "An object argument is required"}
	}
	rev := inv.Args[0]
	s := newShower(repo, inv)
	s.raw, s.noSwap, s.hex, s.gpgHome, s.gpgRemote = o.raw, o.noSwap, o.hex, o.gpgHome, o.gpgRemote
	if o.variantType != "" && o.key == nil && o.detachedKey == nil && !o.listKeys && !o.listDetached && !o.related {
		return s.variantFile(o.variantType, rev)
	}
	selected, ok := o.part(&s)
	if !ok {
		if places, found, err := findRevPaths(repo, inv.Args); found || err != nil {
			return s.places(places, err)
		}
	}
	if !ok && object.IsChecksum(rev) {
		return s.any(rev)
	}
	sum, err := repo.Resolve(rev)
	if err != nil {
		return err
	}
	if !ok {
		return s.object(object.Name{Checksum: sum, Kind: object.KindCommit})
	}
	return selected(sum)
}

// part is the part of a commit that the options ask for, in ostree's order; false for all of it.
func (o *showOptions) part(s *shower) (show func(object.Checksum) error, ok bool) {
	switch {
	case o.detachedKey != nil:
		return func(sum object.Checksum) error { return s.metadataKey(sum, true, *o.detachedKey) }, true
	case o.key != nil:
		return func(sum object.Checksum) error { return s.metadataKey(sum, false, *o.key) }, true
	case o.listKeys, o.listDetached:
		return func(sum object.Checksum) error { return s.metadataKeys(sum, o.listDetached) }, true
	case o.related:
		return s.related, true
	case o.sizes:
		return s.sizes, true
	}
	return nil, false
}

// shower prints objects.
type shower struct {
	repo   *objstore.Repo
	inv    *cli.Invocation
	out    io.Writer
	json   bool
	raw    bool
	noSwap bool // leave integers as they are stored
	hex    bool // print byte arrays as hex digits

	gpgHome, gpgRemote string // where the keys for signatures are

	paint func(cli.Colour, string) string // on a terminal
}

func newShower(repo *objstore.Repo, inv *cli.Invocation) shower {
	return shower{repo: repo, inv: inv, out: inv.Stdout, json: inv.JSON, paint: inv.Paint}
}

// any prints whatever object has the checksum.
func (s *shower) any(checksum string) error {
	sum, err := object.ParseChecksum(checksum)
	if err != nil {
		return err
	}
	for _, kind := range []object.Kind{object.KindCommit, object.KindDirMeta, object.KindDirTree} {
		name := object.Name{Checksum: sum, Kind: kind}
		found, err := s.repo.HasObject(name)
		if err != nil {
			return err
		}
		if found {
			return s.object(name)
		}
	}
	return s.file(sum)
}

// variantTypes are the types of the objects that hold a GVariant.
var variantTypes = map[object.Kind]string{
	object.KindCommit: object.CommitType, object.KindDirTree: object.DirTreeType, object.KindDirMeta: object.DirMetaType,
}

// object prints a commit, dirtree or dirmeta.
func (s *shower) object(name object.Name) error {
	data, err := s.repo.Metadata(name)
	switch {
	case err != nil:
		return err
	case s.json:
		return s.objectJSON(name, data)
	}
	if err := s.dump(name, data); err != nil || name.Kind != object.KindCommit {
		return err
	}
	return s.signatures(name.Checksum, data)
}

func (s *shower) heading(name object.Name) {
	fmt.Fprintln(s.out, s.paint(cli.Commit, name.Kind.String()+" "+name.Checksum.String()))
}

// dump prints an object's name; with raw or noSwap all of it as a GVariant; and unless only raw is
// asked for, a commit in words.
func (s *shower) dump(name object.Name, data []byte) error {
	s.heading(name)
	if s.raw || s.noSwap {
		v, err := gvariant.Parse(variantTypes[name.Kind], data)
		if err != nil {
			return object.Corrupt(name, err)
		}
		fmt.Fprintln(s.out, gvariant.Print(v, true, !s.noSwap))
	}
	if name.Kind != object.KindCommit || s.raw && !s.noSwap {
		return nil
	}
	commit, err := object.DecodeCommit(data)
	if err != nil {
		return object.Corrupt(name, err)
	}
	return printCommit(s.out, commit)
}

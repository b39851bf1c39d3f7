package main

import (
	"context"
	"fmt"
	"io"

	"deployfs/cmd/internal/cli"
	"deployfs/objstore"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
	"deployfs/objstore/tree"
)

type lsOptions struct {
	dirOnly, recursive, checksums, xattrs, nul bool
}

func lsVerb() cli.Verb {
	o := new(lsOptions)
	return cli.Verb{
		Name: "ls", Args: "COMMIT [PATH...]", Short: "List file paths", JSON: true, Pager: true,
		Long: "Each line shows type and mode, owner, group, size in bytes and path. With -C the checksums follow the size: dirtree and dirmeta of a directory, else the content object.\n\n" + farText,
		Options: []cli.Option{
			cli.Flag(&o.dirOnly, "dironly", "d", "Do not recurse into directory arguments"),
			cli.Flag(&o.recursive, "recursive", "R", "Print directories recursively"),
			cli.Flag(&o.checksums, "checksum", "C", "Print checksum"),
			cli.Flag(&o.xattrs, "xattrs", "X", "Print extended attributes"),
			cli.Flag(&o.nul, "nul-filenames-only", "", "Print only filenames, NUL separated"),
		},
		Examples: []cli.Example{
			{Command: "deployfs ls -R os/main /usr/lib", Text: "everything below /usr/lib"},
			{Command: "deployfs ls -dX os/main^ /etc/passwd", Text: "a file of the previous commit with its xattrs"},
			{Command: "deployfs ls https://example.org/repo#os/main /etc", Text: "of a commit that is on a server"},
			{Command: "deployfs ls -R --json os/main | jq -r '.[] | select(.size > 1e6) | .path'", Text: "the big files"},
		},
		Complete: completeRevPaths,
		Run:      withFar(true, o.run),
	}
}

func (o *lsOptions) run(ctx context.Context, inv *cli.Invocation, repo *objstore.Repo) error {
	if len(inv.Args) == 0 {
		return &cli.UsageError{Text: "An COMMIT argument is required"}
	}
	root, err := resolveTree(repo, inv.Args[0])
	if err != nil {
		return err
	}
	l := lister{lsOptions: o, repo: repo, out: inv.Stdout}
	if inv.JSON {
		l.rows = []row{}
	}
	paths := inv.Args[1:]
	if len(paths) == 0 {
		err = l.argument(ctx, root, "/")
	}
	for _, path := range paths {
		if err := l.argument(ctx, root, path); err != nil {
			return fmt.Errorf("Inspecting path '%s': %w", path, err)
		}
	}
	if err == nil && inv.JSON {
		err = cli.WriteJSON(inv.Stdout, l.rows)
	}
	return err
}

// lister prints entries, or collects them when rows is not nil.
type lister struct {
	*lsOptions
	repo *objstore.Repo
	out  io.Writer
	rows []row
}

// argument lists what a path names.
func (l *lister) argument(ctx context.Context, root tree.Entry, path string) error {
	entry, err := lookup(l.repo, root, path)
	if err != nil {
		return err
	}
	if err := l.entry(entry); err != nil {
		return err
	}
	switch {
	case !entry.IsDir():
		return nil
	case l.recursive:
		return tree.Walk(l.repo, entry, func(e tree.Entry) error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return l.entry(e)
		})
	case l.dirOnly:
		return nil
	}
	children, err := tree.Children(l.repo, entry)
	for _, e := range children {
		if err := l.entry(e); err != nil {
			return err
		}
	}
	return err
}

// entry lists one entry. Like ostree it fails for a directory that cannot be read.
func (l *lister) entry(e tree.Entry) error {
	h, err := l.header(e)
	switch {
	case err != nil:
		return err
	case l.rows != nil:
		l.rows = append(l.rows, newRow(e, h))
		return nil
	case l.nul:
		_, err = fmt.Fprintf(l.out, "%s\x00", e.Path)
		return err
	}
	_, err = io.WriteString(l.out, l.line(e, h))
	return err
}

// header is what ls shows of a file or, with a directory's mode, of a directory.
func (l *lister) header(e tree.Entry) (h object.Header, err error) {
	switch {
	case e.IsDir():
		if _, err = l.repo.DirTree(e.Tree); err != nil {
			return h, err
		}
		var m object.DirMeta
		m, err = l.repo.DirMeta(e.Meta)
		h = object.Header{UID: m.UID, GID: m.GID, Mode: m.Mode, Xattrs: m.Xattrs}
	case l.xattrs || l.rows != nil:
		h, err = l.repo.Header(e.Content)
	default:
		h, err = l.repo.Stat(e.Content)
	}
	return h, contentError(l.repo, err)
}

func (l *lister) line(e tree.Entry, h object.Header) string {
	letter := "-"
	if e.IsDir() {
		letter = "d"
	} else if h.IsSymlink() {
		letter = "l"
	}
	text := fmt.Sprintf("%s0%04o %d %d %6d ", letter, h.Mode&^object.ModeType, h.UID, h.GID, h.Size)
	if l.checksums && e.IsDir() {
		text += e.Tree.String() + " " + e.Meta.String() + " "
	} else if l.checksums {
		text += e.Content.String() + " "
	}
	if l.xattrs {
		text += "{ " + gvariant.Print(object.XattrsValue(h.Xattrs), true, false) + " } "
	}
	text += e.Path
	if h.IsSymlink() {
		text += " -> " + h.Target
	}
	return text + "\n"
}

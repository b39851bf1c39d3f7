package main

import (
	"context"
	"fmt"
	"strings"

	"deployfs/cmd/internal/cli"
	"deployfs/objstore"
	"deployfs/objstore/refs"
)

type refsOptions struct {
	remove, list, revision, alias, collections, force bool

	create *string // nil when not given
}

func refsVerb() cli.Verb {
	o := new(refsOptions)
	create := func(name string) error { o.create = &name; return nil }
	return cli.Verb{
		Name: "refs", Args: "[PREFIX]", Short: "List refs", JSON: true, Long: refsText,
		Options: []cli.Option{
			cli.Flag(&o.remove, "delete", "", "Delete refs which match PREFIX, rather than listing them"),
			cli.Flag(&o.list, "list", "", "Do not remove the prefix from the refs"),
			cli.Flag(&o.revision, "revision", "r", "Show revisions in listing"),
			cli.Flag(&o.alias, "alias", "A", "If used with --create, create an alias, otherwise just list aliases"),
			cli.Func(create, "create", "", "NEWREF", "Create a new ref for an existing commit"),
			cli.Flag(&o.collections, "collections", "c", "Enable listing collection IDs for refs"),
			cli.Flag(&o.force, "force", "", "Overwrite existing refs when creating"),
		},
		Examples: []cli.Example{
			{Command: "deployfs refs -r", Text: "every ref and its commit"},
			{Command: "deployfs refs --list origin:", Text: "the refs of the remote origin"},
			{Command: "deployfs refs --create=os/before os/main^", Text: "a new ref to the commit before the last one"},
			{Command: "deployfs refs -A --create=os/stable os/40", Text: "another name for os/40"},
		},
		Complete: completeRevs,
		Run:      withRepo(o.run),
	}
}

const refsText = `PREFIX is the first part of a ref, or REMOTE: for the refs of a remote; without --list it is taken off the names. With --collections it is a collection. Refs are sorted by name.

--create makes NEWREF, which may be REMOTE:REF, lead to the commit that PREFIX names, which must be there; with --collections NEWREF is COLLECTION:REF. An alias, with --alias, is a ref that leads where the local ref leads that PREFIX names, from then on.

--delete deletes the refs below PREFIX, or the one that is called so, and no commits: prune does that. A ref that an alias leads to stays, and so do all others then.`

func (o *refsOptions) run(ctx context.Context, inv *cli.Invocation, repo *objstore.Repo) error {
	if err := o.checkArgs(inv.Args); err != nil {
		return err
	}
	switch {
	case o.create != nil:
		return o.createRef(ctx, repo, inv.Args[0])
	case o.remove:
		return o.deleteRefs(ctx, repo, inv.Args)
	}
	prefixes := inv.Args
	if len(prefixes) == 0 {
		prefixes = []string{""}
	}
	rows := []refRow{}
	for _, prefix := range prefixes {
		var found []refRow
		var err error
		if o.collections {
			found, err = collectedRefs(repo, prefix, len(inv.Args) > 0)
		} else {
			found, err = o.listed(repo, prefix, len(inv.Args) > 0)
		}
		if err != nil {
			return err
		}
		rows = append(rows, found...)
	}
	if inv.JSON {
		return cli.WriteJSON(inv.Stdout, rows)
	}
	for _, r := range rows {
		fmt.Fprintln(inv.Stdout, o.line(r))
	}
	return nil
}

// checkArgs fails unless there are as many arguments as what is to be done takes.
func (o *refsOptions) checkArgs(args []string) error {
	switch {
	case o.create != nil && len(args) > 1:
		return cli.Words("You must specify only 1 existing ref when creating a new ref")
	case o.remove && len(args) == 0:
		return cli.Words("At least one PREFIX is required when deleting refs")
	case o.create != nil && len(args) == 0:
		return cli.Words("You must specify a revision when creating a new ref")
	}
	return nil
}

// refRow is a listed ref.
type refRow struct {
	Ref        string `json:"ref"` // as REV takes it
	Remote     string `json:"remote,omitempty"`
	Collection string `json:"collection,omitempty"`
	Checksum   string `json:"checksum"` // as the ref's file says, not checked
	Alias      string `json:"alias_of,omitempty"`

	of    objstore.Ref
	shown string // what the text form prints for it
}

func (o *refsOptions) line(r refRow) string {
	switch {
	case o.collections && o.revision:
		return fmt.Sprintf("(%s, %s)\t%s", r.Collection, r.shown, r.Checksum)
	case o.collections:
		return fmt.Sprintf("(%s, %s)", r.Collection, r.shown)
	case o.alias && r.Alias != "":
		return r.shown + " -> " + r.Alias
	case o.alias:
		return r.shown + " -> " + r.Checksum
	case o.revision:
		return r.shown + "\t" + r.Checksum
	}
	return r.shown
}

func newRefRow(ref objstore.Ref) refRow {
	return refRow{
		Ref: ref.String(), Remote: ref.Remote, Collection: ref.Collection, Checksum: ref.Checksum,
		Alias: ref.Alias, of: ref, shown: ref.String(),
	}
}

// listed selects refs by a prefix of whole parts. A ref that the prefix names exactly is always
// listed, and in full; -A shows its checksum then, as ostree does.
func (o *refsOptions) listed(repo *objstore.Repo, prefix string, given bool) (rows []refRow, err error) {
	var want refs.Spec
	remote, whole := wholeRemote(prefix)
	if whole {
		want.Remote = remote
	} else if given {
		if want, err = refs.Parse(prefix); err != nil {
			return nil, fmt.Errorf("Listing refs: %w", err)
		}
	}
	all, err := repo.Refs()
	for _, ref := range all {
		r := newRefRow(ref)
		exact := given && ref.Spec == want
		below, under := strings.CutPrefix(ref.Ref, want.Ref+"/")
		switch {
		case exact && o.alias:
			r.Alias = ""
		case exact:
		case o.alias && ref.Alias == "":
			continue
		case !given:
		case whole && ref.Remote != remote:
			continue
		case whole:
		case !under || ref.Remote != want.Remote:
			continue
		case !o.list && !o.alias:
			r.shown = refs.Spec{Remote: ref.Remote, Ref: below}.String()
		}
		rows = append(rows, r)
	}
	return rows, err
}

// wholeRemote tells of which remote a prefix names all refs: REMOTE: or REMOTE:. does.
func wholeRemote(prefix string) (remote string, ok bool) {
	remote, ok = strings.CutSuffix(strings.TrimSuffix(prefix, "."), ":")
	return remote, ok && refs.IsFragment(remote)
}

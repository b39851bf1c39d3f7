package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"deployfs/cmd/internal/cli"
	"deployfs/objstore"
	"deployfs/objstore/compose"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/modify"
	"deployfs/objstore/sign"
)

type commitOptions struct {
	// what it says about itself
	parent, bodyFile, timestamp                       *string // nil when not given
	subject, body, branch                             string
	editor, orphan, noBindings, bootable              bool
	bindRefs, metadata, metadataTexts, keep, detached []string

	// what it is made of
	base, statOverride, skipList, tarFilter, policy                                       *string // the same
	owner, group                                                                          string
	canonical, readOnly, noXattrs, policyFromBase, links, trustLinks, tarParents, consume bool
	trees                                                                                 []string

	// how
	table, sizes, skipUnchanged bool
	fsync                       string
	signerOptions
}

func commitVerb() cli.Verb {
	o := &commitOptions{owner: "-1", group: "-1", fsync: "true"}
	return cli.Verb{
		Name: "commit", Args: "[PATH]", Short: "Commit a new revision", JSON: true,
		Long:    commitText,
		Options: append(append(o.messageOptions(), o.treeOptions()...), o.otherOptions()...),
		Examples: []cli.Example{
			{Command: "deployfs commit -b os/main -s 'New kernel' --tree=dir=rootfs", Text: "a directory"},
			{Command: "deployfs commit -b os/main --base=os/main --tree=tar=update.tar", Text: "an archive over what the branch has"},
			{Command: "deployfs commit -b os/main -I --consume rootfs", Text: "a changed checkout of hard links, which is deleted afterwards"},
		},
		CompleteOptions: completers{"branch": completeRevs, "base": completeRevs, "parent": completeRevs, "tree": completeTree},
		Complete:        func(inv *cli.Invocation, _ string) cli.Completion { return cli.Completion{Dirs: len(inv.Args) == 0} },
		Run:             o.run,
	}
}

const commitText = `Makes a commit of PATH, of the working directory, or of what --tree says: of several trees each lies over those before it. Files replace files, directories are merged and take owner, permissions and xattrs of the upper one; a file over a directory is an error, as is a directory over a file. Prints the commit's checksum.

Options that change files apply to what --tree and PATH take, not to --base. The number in a line of --statoverride is decimal; what is added to the mode of a directory below the root has no effect, as in ostree.

--consume deletes directories when the commit is made, not before; where the repository can, it takes their files over instead of copying them. SELinux labels can't be computed here: --selinux-policy is refused.

TIMESTAMP is @SECONDS, a day such as 2026-01-31 or "31 Jan 2026" with or without a time of day and a zone. Without it $SOURCE_DATE_EPOCH counts, seconds since 1970. VALUE of --add-metadata is in GVariant text format: 'a string', uint64 42, true, ['a', 'list'].`

func (o *commitOptions) run(ctx context.Context, inv *cli.Invocation) error {
	durable, err := parseFsync(o.fsync)
	if err != nil {
		return err
	}
	repo, err := openWritable(inv)
	if err != nil {
		return err
	}
	defer repo.Close()
	if !durable {
		repo.DisableFsync()
	}
	request, err := o.request(inv)
	if err != nil {
		return err
	}
	if request.Sign, err = o.sign(ctx); err != nil {
		return err
	}
	plan, err := compose.Prepare(repo, request)
	if err != nil {
		return err
	}
	if plan.Subject, plan.Body, err = o.message(ctx, inv); err != nil {
		return err
	}
	progress := cli.StartProgress(inv.Stderr, func() string {
		p := plan.Progress()
		return fmt.Sprintf("%d files, %s", p.Files(), objstore.FormatSize(uint64(p.Bytes())))
	})
	result, err := plan.Commit(ctx)
	progress.Stop("")
	unmatched := (*modify.UnmatchedError)(nil)
	if errors.As(err, &unmatched) {
		fmt.Fprint(inv.Stderr, unmatched.Lines())
	}
	if err != nil {
		return err
	}
	return o.print(inv, result)
}

// sign is who signs the commit; nil is nobody.
func (o *commitOptions) sign(ctx context.Context) (func([]byte) ([]gvariant.Value, error), error) {
	signers, err := o.signers()
	if err != nil || signers == nil {
		return nil, err
	}
	return func(commit []byte) (entries []gvariant.Value, err error) {
		meta, err := sign.Add(ctx, gvariant.Value{}, commit, signers...)
		for i := range meta.Len() {
			entries = append(entries, meta.At(i))
		}
		return entries, err
	}, nil
}

// parseFsync reads what --fsync is given.
func parseFsync(text string) (bool, error) {
	switch strings.ToLower(text) {
	case "1", "true", "yes":
		return true, nil
	case "0", "false", "no", "none":
		return false, nil
	}
	return false, cli.Words("Invalid boolean argument '" + text + "'")
}

func (o *commitOptions) print(inv *cli.Invocation, r compose.Result) error {
	switch {
	case inv.JSON:
		return cli.WriteJSON(inv.Stdout, newCommitJSON(r))
	case !o.table:
		_, err := fmt.Fprintln(inv.Stdout, r.Commit)
		return err
	}
	_, err := fmt.Fprintf(inv.Stdout, `Commit: %s
Metadata Total: %d
Metadata Written: %d
Content Total: %d
Content Written: %d
Content Cache Hits: %d
Content Bytes Written: %d
`, r.Commit, r.Stats.Metadata, r.Stats.MetadataWritten, r.Stats.Content, r.Stats.ContentWritten, r.Known, r.Stats.BytesWritten)
	return err
}

// commitJSON is what --json prints.
type commitJSON struct {
	Commit  string `json:"commit"`
	Skipped bool   `json:"skipped"`

	Metadata        int    `json:"metadata_total"`
	MetadataWritten int    `json:"metadata_written"`
	Content         int    `json:"content_total"`
	ContentWritten  int    `json:"content_written"`
	CacheHits       int    `json:"content_cache_hits"`
	BytesWritten    uint64 `json:"content_bytes_written"`
}

func newCommitJSON(r compose.Result) commitJSON {
	return commitJSON{
		r.Commit.String(), r.Skipped, r.Stats.Metadata, r.Stats.MetadataWritten,
		r.Stats.Content, r.Stats.ContentWritten, r.Known, r.Stats.BytesWritten,
	}
}

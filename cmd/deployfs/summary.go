package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"deployfs/cmd/internal/cli"
	"deployfs/objstore"
	"deployfs/objstore/facts"
	"deployfs/objstore/flatpak"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/publish"
	"deployfs/objstore/sign"
	"deployfs/objstore/summary"
)

type summaryOptions struct {
	update, view, flatpak bool
	summaryParts
	metadata []string
	signerOptions
}

// summaryParts say what of a summary is shown: without any, all of it for people.
type summaryParts struct {
	raw, listKeys bool
	printKey      *string // nil when not given
}

func summaryVerb() cli.Verb {
	o := new(summaryOptions)
	printKey := func(key string) error { o.printKey = &key; return nil }
	metadata := stringsOption(&o.metadata, "add-metadata", "KEY=VALUE", "Additional metadata field to add to the summary")
	metadata.Short = "m"
	fromFile := o.fileOption("Sign the summary with the key in a file")
	fromFile.Ours = true
	return cli.Verb{
		Name: "summary", Short: "Manage summary metadata", JSON: true, Long: summaryText,
		Options: []cli.Option{
			cli.Flag(&o.update, "update", "u", "Update the summary"),
			cli.Flag(&o.view, "view", "v", "View the local summary file"),
			cli.Flag(&o.raw, "raw", "", "View the raw bytes of the summary file"),
			cli.Flag(&o.listKeys, "list-metadata-keys", "", "List the available metadata keys"),
			cli.Func(printKey, "print-metadata-key", "", "KEY", "Print string value of metadata key"),
			stringsOption(&o.gpgKeys, "gpg-sign", "KEY-ID", "GPG Key ID to sign the summary with"),
			cli.String(&o.gpgHome, "gpg-homedir", "", "HOMEDIR", "GPG Homedir to use when looking for keyrings"),
			stringsOption(&o.keys, "sign", "KEY-ID", "Key ID to sign the summary with"),
			fromFile,
			schemeOption(&o.scheme, "sign-type", ""),
			metadata,
			cli.Flag(&o.flatpak, "flatpak", "", "With --update, tell flatpak of the applications and runtimes"),
		},
		Examples: []cli.Example{
			{Command: "deployfs summary -u", Text: "list the refs as they are now"},
			{Command: "deployfs summary -u -m title=\"'Daily builds'\" --gpg-sign=0123ABCD", Text: "tell more, and sign it"},
			{Command: "deployfs summary -u --flatpak --gpg-sign=0123ABCD", Text: "publish applications for flatpak"},
			{Command: "deployfs summary -v", Text: "what a client would see"},
		},
		Complete: func(*cli.Invocation, string) cli.Completion { return cli.Completion{} },
		Run:      withRepo(o.run),
	}
}

const summaryText = `The summary is the file in which who pulls finds the refs of a repository. It lists local refs, and those of collections, each with its commit, and the static deltas that there are. An update without a signature deletes the signature of the last summary. It makes the indexes of static deltas anew, too. In a repository with a collection id it makes a commit without files on the ref ostree-metadata as well, which has the same metadata.

Signatures by several keys may stand side by side, and those of GPG beside others. ` + secretText + `

VALUE is a GVariant in text form, such as 5, true or "'a text'", with its quotes.

With --flatpak the summary also has what flatpak looks for there: the size and the metadata of each application and runtime, and what the group flatpak of the repository's configuration tells (title, comment, description, homepage, icon, default-branch, gpg-keys and so on). A file summary.idx, which flatpak would believe instead, is deleted.`

func (o *summaryOptions) run(ctx context.Context, inv *cli.Invocation, repo *objstore.Repo) error {
	signers, err := o.signers()
	if err != nil {
		return err
	}
	switch {
	case o.update:
		return o.publish(ctx, repo, signers)
	case o.flatpak:
		return &cli.UsageError{Text: "--flatpak goes with --update"}
	case !o.view && !o.raw && !o.listKeys && o.printKey == nil:
		return cli.Words("No option specified; use -u to update summary")
	}
	s, err := summary.Read(repo)
	if err != nil {
		return err
	}
	if inv.JSON && (o.view || o.raw) {
		return o.viewJSON(inv, repo, s)
	}
	if err := o.show(inv, s, o.view); err != nil || !o.view || o.raw {
		return err
	}
	return o.viewSignatures(inv, repo, s)
}

// show shows a summary. View has it shown for people in any case but for raw.
func (p *summaryParts) show(inv *cli.Invocation, s *summary.Summary, view bool) error {
	switch {
	case p.raw && !inv.JSON:
		_, err := fmt.Fprintln(inv.Stdout, gvariant.Print(s.Value(), true, true))
		return err
	case p.raw, view:
	case p.listKeys:
		return listSummaryKeys(inv, s)
	case p.printKey != nil:
		return printSummaryKey(inv, s, *p.printKey)
	}
	return viewSummary(inv, s)
}

func (o *summaryOptions) publish(ctx context.Context, repo *objstore.Repo, signers []sign.Signer) error {
	if err := repo.CheckWritable(); err != nil {
		return err
	}
	var metadata []gvariant.Value
	for _, text := range o.metadata {
		entry, err := parseMetadata(text)
		if err != nil {
			return err
		}
		metadata = append(metadata, entry)
	}
	if !o.flatpak {
		return publish.Run(ctx, repo, publish.Options{Metadata: metadata, Signers: signers})
	}
	known, err := flatpak.Metadata(ctx, repo)
	if err != nil {
		return err
	}
	if err := publish.Run(ctx, repo, publish.Options{Metadata: append(known, metadata...), Signers: signers}); err != nil {
		return err
	}
	return flatpak.DropIndex(repo)
}

// parseMetadata reads KEY=VALUE into an {sv}.
func parseMetadata(text string) (gvariant.Value, error) {
	key, value, ok := strings.Cut(text, "=")
	if !ok {
		return gvariant.Value{}, cli.Words("Missing '=' in KEY=VALUE metadata '" + text + "'")
	}
	v, err := gvariant.ParseText(value)
	if err != nil {
		return v, fmt.Errorf("Error parsing variant ‘%s’: : %w", value, err)
	}
	return gvariant.NewEntry(gvariant.NewString(key), gvariant.NewVariant(v)), nil
}

func listSummaryKeys(inv *cli.Invocation, s *summary.Summary) error {
	keys := make([]string, s.Metadata().Len())
	for i := range keys {
		keys[i] = s.Metadata().At(i).At(0).Str()
	}
	slices.Sort(keys)
	if inv.JSON {
		return cli.WriteJSON(inv.Stdout, keys)
	}
	for _, key := range keys {
		fmt.Fprintln(inv.Stdout, key)
	}
	return nil
}

func printSummaryKey(inv *cli.Invocation, s *summary.Summary, key string) error {
	v, ok := s.Metadata().Lookup(key)
	switch {
	case !ok:
		return cli.Words("No such metadata key '" + key + "'")
	case inv.JSON:
		return cli.WriteJSON(inv.Stdout, facts.Value(v))
	}
	_, err := fmt.Fprintln(inv.Stdout, gvariant.Print(v, true, true))
	return err
}

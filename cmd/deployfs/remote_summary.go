package main

import (
	"context"
	"fmt"

	"deployfs/cmd/internal/cli"
	"deployfs/objstore"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/openpgp"
	"deployfs/objstore/pull"
	"deployfs/objstore/remote"
	"deployfs/objstore/sign"
	"deployfs/objstore/trust"
)

type remoteSummaryOptions struct {
	pull.RemoteOptions
	summaryParts
}

func remoteSummaryVerb() cli.Verb {
	o := new(remoteSummaryOptions)
	printKey := func(key string) error { o.printKey = &key; return nil }
	return cli.Verb{
		Name: "summary", Args: "NAME", Short: "Show remote summary", JSON: true,
		Long: "The summary is verified as the remote's configuration says, and fetched only where it has changed. Where gpg-verify-summary is true, its signatures are told, too.",
		Options: []cli.Option{
			cli.String(&o.CacheDir, "cache-dir", "", "", "Use custom cache dir"),
			cli.Flag(&o.raw, "raw", "", "Show raw variant data"),
			cli.Newer(cli.Flag(&o.listKeys, "list-metadata-keys", "", "List the available metadata keys")),
			cli.Newer(cli.Func(printKey, "print-metadata-key", "", "KEY", "Print string value of metadata key")),
		},
		Examples: []cli.Example{{Command: "deployfs remote summary origin", Text: "what origin has, and when it was published"}},
		Complete: completeRemote,
		Run:      withRepo(o.run),
	}
}

func (o *remoteSummaryOptions) run(ctx context.Context, inv *cli.Invocation, repo *objstore.Repo) error {
	s, signature, err := fetchSummary(ctx, inv, repo, o.RemoteOptions, "Remote server has no summary file")
	if err != nil {
		return err
	}
	whole := !o.raw && !o.listKeys && o.printKey == nil && !inv.JSON
	if err := o.show(inv, s, false); err != nil || !whole || signature == nil {
		return err
	}
	return printSummarySignatures(inv, repo, s.Value().Bytes(), signature)
}

// printSummarySignatures tells of a summary's GPG signatures, where the remote has them verified.
func printSummarySignatures(inv *cli.Invocation, repo *objstore.Repo, data, signature []byte) error {
	name := inv.Args[0]
	list, err := remote.Load(repo)
	if err != nil {
		return err
	}
	found, err := list.Find(name)
	if err != nil {
		return nil // a URL
	}
	if verified, err := found.Bool("gpg-verify-summary", false); !verified || err != nil {
		return err
	}
	meta, err := gvariant.Parse("a{sv}", signature)
	if err != nil {
		return fmt.Errorf("summary.sig: %w", err)
	}
	signatures, err := sign.Signatures(meta, "gpg")
	if err != nil {
		return err
	}
	ring, err := trust.KeysFor(repo, name)
	if err != nil {
		return err
	}
	fmt.Fprintln(inv.Stdout)
	return printSignatures(inv.Stdout, "GPG: Verification enabled, found %s:", openpgp.Verify(ring, data, signatures))
}

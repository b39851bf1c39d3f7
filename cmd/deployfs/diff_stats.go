package main

import (
	"context"
	"fmt"

	"deployfs/cmd/internal/cli"
	"deployfs/objstore"
	"deployfs/objstore/compare"
)

// count counts what the two commits share, as ostree's --stats does.
func (d *differ) count(ctx context.Context) (n compare.Objects, err error) {
	if len(d.fars) > 0 {
		return n, &cli.UsageError{Text: "--stats is for commits of a repository of this machine"}
	}
	old, err := d.repo.Resolve(d.fromRev)
	if err != nil {
		return n, err
	}
	new, err := d.repo.Resolve(d.toRev)
	if err != nil {
		return n, err
	}
	return compare.CountObjects(ctx, d.repo, old, new)
}

func (d *differ) printCount(ctx context.Context) error {
	n, err := d.count(ctx)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(d.inv.Stdout, "[A] Object Count: %d\n[B] Object Count: %d\nCommon Object Count: %d\nCommon Object Size: %s\n",
		n.Old, n.New, n.Common, objstore.FormatSize(n.CommonBytes))
	return err
}

package main

import (
	"context"
	"fmt"

	"deployfs/objstore/compare"
)

// count prints what the two commits share, as ostree's --stats does, or puts it into doc.
func (d *differ) count(ctx context.Context, doc *diffJSON) error {
	old, err := d.repo.Resolve(d.from)
	if err != nil {
		return err
	}
	new, err := d.repo.Resolve(d.to)
	if err != nil {
		return err
	}
	n, err := compare.CountObjects(ctx, d.repo, old, new)
	if err != nil {
		return err
	}
	doc.Objects = &objectsCount{n.Old, n.New, n.Common, n.CommonBytes}
	if d.inv.JSON {
		return nil
	}
	_, err = fmt.Fprintf(d.inv.Stdout, "[A] Object Count: %d\n[B] Object Count: %d\nCommon Object Count: %d\nCommon Object Size: %s\n",
		n.Old, n.New, n.Common, formatSize(n.CommonBytes))
	return err
}

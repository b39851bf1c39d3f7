package compose

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"deployfs/objstore/tarball"
)

// importTar lays what an archive holds over the tree.
func (b *builder) importTar(ctx context.Context, in io.Reader) error {
	o := tarball.Options{AutocreateParents: b.Tar.AutocreateParents}
	if b.Tar.PathnameFilter != "" {
		var err error
		if o.Rename, err = tarball.ParseFilter(b.Tar.PathnameFilter); err != nil {
			return err
		}
	}
	err := tarball.Import(ctx, b.tx, in, b.root, b.Modifier, o)
	if errors.Is(err, tarball.ErrFormat) {
		opened := "filename"
		if in == os.Stdin {
			opened = "fd"
		}
		err = fmt.Errorf("archive_read_open_%s: %w", opened, err)
	}
	return err
}

package compose

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"deployfs/objstore/tarball"
)

// addTar lays an archive over the tree.
func (b *builder) addTar(ctx context.Context, name string) error {
	if name == "-" {
		return b.importTar(ctx, os.Stdin, "archive_read_open_fd")
	}
	const opened = "archive_read_open_filename"
	f, err := os.Open(name)
	if err != nil {
		if absolute, err := filepath.Abs(name); err == nil {
			name = absolute
		}
		return fmt.Errorf(opened+": Failed to open '%s'", name)
	}
	defer f.Close()
	return b.importTar(ctx, f, opened)
}

// importTar lays what an archive holds over the tree; opened is who would have opened
// it with ostree.
func (b *builder) importTar(ctx context.Context, in io.Reader, opened string) (err error) {
	o := tarball.Options{AutocreateParents: b.Tar.AutocreateParents}
	if b.Tar.PathnameFilter != nil {
		if o.Rename, err = tarball.ParseFilter(*b.Tar.PathnameFilter); err != nil {
			return err
		}
	}
	err = tarball.Import(ctx, b.tx, in, b.root, b.Modifier, o)
	if errors.Is(err, tarball.ErrFormat) {
		err = fmt.Errorf("%s: %w", opened, err)
	}
	return err
}

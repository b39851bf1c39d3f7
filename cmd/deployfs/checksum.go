package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"

	"deployfs/cmd/internal/cli"
	"deployfs/objstore"
)

func checksumVerb() cli.Verb {
	var noXattrs bool
	return cli.Verb{
		Name: "checksum", Args: "PATH", Short: "Checksum a file or directory", NoRepo: true, JSON: true,
		Long:    "Prints the checksum that PATH, a file of this machine, would have as an object: of owner, mode, xattrs and content, or link target. A directory is taken for itself, without its entries.",
		Options: []cli.Option{cli.Flag(&noXattrs, "ignore-xattrs", "", "Don't include xattrs in checksum")},
		Examples: []cli.Example{{
			Command: "deployfs checksum /etc/passwd", Text: "compare it with 'deployfs ls -C REV /etc/passwd'",
		}},
		Run: func(_ context.Context, inv *cli.Invocation) error {
			return runChecksum(inv, noXattrs)
		},
	}
}

func runChecksum(inv *cli.Invocation, noXattrs bool) error {
	if len(inv.Args) == 0 {
		return cli.Words("A filename must be given")
	}
	path := inv.Args[0]
	sum, err := objstore.FileChecksum(path, !noXattrs)
	failed := (*fs.PathError)(nil)
	errno := unix.Errno(0)
	switch {
	case errors.Is(err, fs.ErrNotExist) && noXattrs:
		return cli.Words("fstatat(" + path + "): No such file or directory")
	case errors.Is(err, fs.ErrNotExist):
		return cli.Words("Error when getting information for file “" + absolute(path) + "”: No such file or directory")
	case errors.As(err, &failed) && failed.Op == "open" && errors.As(err, &errno) && noXattrs:
		return cli.Words("openat(" + path + "): " + objstore.ErrnoText(errno))
	case errors.As(err, &failed) && failed.Op == "open" && errors.As(err, &errno):
		return cli.Words("Error opening file " + absolute(path) + ": " + objstore.ErrnoText(errno))
	case err != nil:
		return err
	case inv.JSON:
		type checksumJSON struct {
			Path      string `json:"path"`
			PathBytes []byte `json:"path_bytes,omitempty"`
			Checksum  string `json:"checksum"`
		}
		text, exact := cli.Text(path)
		return cli.WriteJSON(inv.Stdout, checksumJSON{text, exact, sum.String()})
	}
	_, err = fmt.Fprintln(inv.Stdout, sum)
	return err
}

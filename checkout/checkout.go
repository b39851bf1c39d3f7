package checkout

import (
	"context"
	"path/filepath"
	"strings"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/object"
	"deployfs/objstore/tree"
)

// Overwrite is what happens to files that are in the way.
type Overwrite uint8

// The ways to overwrite. All but Refuse keep directories that are there, with their mode, owner, xattrs
// and time.
const (
	Refuse    Overwrite = iota // anything in the way is an error, directories too
	Replace                    // files are replaced
	Keep                       // files are kept
	Identical                  // files must be what they would be replaced with
)

// Links is whether files become hard links to their objects.
type Links uint8

// The ways to link.
const (
	LinkOrCopy  Links = iota // where the repository and the file system can do it
	LinkAlways               // what can't be linked, and is not always copied, is an error
	LinkNothing              // directories keep the time at which they were filled
)

// Options say how a tree is checked out.
type Options struct {
	Subpath   string // of what is checked out, in the commit; empty is all
	User      bool   // set no owners, xattrs, setuid and setgid bits of files; always so for bare-user-only
	Overwrite Overwrite
	Links     Links

	Whiteouts       bool // a file .wh.NAME removes NAME; .wh..wh..opq empties its directory first
	DeviceWhiteouts bool // a file .ostree-wh.NAME becomes an overlay file system's whiteout NAME
	PlainDirs       bool // modes of directories are masked with 0775; always so for bare-user-only
	Cache           bool // archive repositories keep what User inflates, to be linked from then on
	Sync            bool // the destination is on disk when it has its name

	Skip  func(path string) bool // what is left out: "/usr/bin/env" for a file, "/usr/bin/" for a directory; may be nil
	Count *Count                 // how far it has come; may be nil
}

// Count is how far a checkout has come. It may be read at any time.
type Count struct {
	Entries atomic.Int64 // files and directories that are made
	Bytes   atomic.Int64 // of content that were copied
}

// Tree checks a commit out at the path dest. Symbolic links on the way to dest are followed.
func Tree(ctx context.Context, repo *objstore.Repo, commit object.Checksum, dest string, o Options) error {
	from, err := find(repo, commit, o.Subpath)
	if err != nil {
		return err
	}
	above, name := filepath.Split(strings.TrimRight(dest, "/"))
	if name == "" || name == "." || name == ".." {
		above, name = dest, "."
	}
	if above == "" {
		above = "."
	}
	fd, err := unix.Open(above, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return failed("mkdirat", err)
	}
	defer unix.Close(fd)
	return newRun(ctx, repo, o).place(from, place{fd, name, dest})
}

// At is [Tree] at a name in a directory, which is open. The name may be ".", for the directory itself.
func At(ctx context.Context, repo *objstore.Repo, commit object.Checksum, dir int, name string, o Options) error {
	from, err := find(repo, commit, o.Subpath)
	if err != nil {
		return err
	}
	return newRun(ctx, repo, o).place(from, place{dir, name, name})
}

// find is what stands at a path in a commit.
func find(repo *objstore.Repo, commit object.Checksum, subpath string) (tree.Entry, error) {
	c, err := repo.Commit(commit)
	if err != nil {
		return tree.Entry{}, err
	}
	return tree.Lookup(repo, tree.Root(c), subpath)
}

// run is one checkout.
type run struct {
	Options
	ctx   context.Context
	repo  *objstore.Repo
	stats *Count
	metas metas
	cache caches

	from    []source    // where objects are
	links   bool        // links are tried
	aside   bool        // nobody sees what is made before it is complete, and nothing is in the way
	noClone atomic.Bool // the file system can't share blocks
}

func newRun(ctx context.Context, repo *objstore.Repo, o Options) *run {
	r := &run{Options: o, ctx: ctx, repo: repo, stats: o.Count}
	if repo.Mode() == objstore.BareUserOnly {
		r.User, r.PlainDirs = true, true
	}
	if r.stats == nil {
		r.stats = new(Count)
	}
	r.from = r.sources(repo)
	r.links = r.mayLink()
	return r
}

// ordered reports whether the order in which a directory's files are made matters.
func (r *run) ordered() bool { return r.Whiteouts || r.DeviceWhiteouts }

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"deployfs/cmd/internal/cli"
	"deployfs/mount/daemon"
	"deployfs/objstore"
	"deployfs/objstore/lazy"
	"deployfs/objstore/object"
	"deployfs/objstore/tree"
)

// openRepo opens the repository that the command line means: --repo, else the working directory
// when it is one, else $OSTREE_REPO, else the system's.
func openRepo(inv *cli.Invocation) (*objstore.Repo, error) {
	repo, err := objstore.Open(repoPath(inv))
	if !inv.RepoGiven && errors.Is(err, fs.ErrNotExist) {
		return nil, noRepo(inv)
	}
	if err == nil {
		_ = repo.MakeTmp() // as ostree does wherever it may; who writes there will tell
	}
	return repo, err
}

// openWritable is openRepo for who writes objects, and fails where he can't.
func openWritable(inv *cli.Invocation) (*objstore.Repo, error) {
	repo, err := openRepo(inv)
	if err != nil {
		return nil, err
	}
	if err := repo.CheckWritable(); err != nil {
		repo.Close()
		return nil, err
	}
	return repo, nil
}

// noRepo says that there is no repository; who named a commit on a server wanted none.
func noRepo(inv *cli.Invocation) error {
	isFar := func(arg string) bool { return lazy.IsURL(arg) && strings.Contains(arg, "#") }
	if inv.Program.Terse || !slices.ContainsFunc(inv.Args, isFar) {
		return cli.ErrNoRepo
	}
	return &daemon.Failure{Text: cli.ErrNoRepo.Error(), Remedy: "only ls, cat, log, diff, show and mount take URL#REF; the others need a repository that has pulled the commit"}
}

// withRepo has a verb begin with the repository open that the command line means.
func withRepo(run func(context.Context, *cli.Invocation, *objstore.Repo) error) func(context.Context, *cli.Invocation) error {
	return func(ctx context.Context, inv *cli.Invocation) error {
		repo, err := openRepo(inv)
		if err != nil {
			return err
		}
		defer repo.Close()
		return run(ctx, inv, repo)
	}
}

// repoPath is where the repository that the command line means should be.
func repoPath(inv *cli.Invocation) string {
	if inv.RepoGiven {
		return absolute(inv.Repo)
	}
	return absolute(defaultRepo())
}

func defaultRepo() string {
	objects, err := os.Stat("objects")
	if err == nil && objects.IsDir() {
		if config, err := os.Stat("config"); err == nil && config.Mode().IsRegular() {
			return "."
		}
	}
	if path := os.Getenv("OSTREE_REPO"); path != "" {
		return path
	}
	return systemRepo
}

// systemRepo is the repository of the running system.
const systemRepo = "/ostree/repo"

// absolute is path as ostree shows it in messages. An empty one stays: it is no path.
func absolute(path string) string {
	if path == "" {
		return ""
	}
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// resolveTree finds the commit that rev means, and its root.
func resolveTree(repo *objstore.Repo, rev string) (tree.Entry, error) {
	sum, err := repo.Resolve(rev)
	if err != nil {
		return tree.Entry{}, err
	}
	commit, err := repo.Commit(sum)
	if err != nil {
		return tree.Entry{}, err
	}
	return tree.Root(commit), nil
}

// lookup walks from a commit's root along name. To ostree an empty name is no path.
func lookup(repo *objstore.Repo, root tree.Entry, name string) (tree.Entry, error) {
	if name == "" {
		return root, &tree.Error{Path: "/", Err: unix.ENOENT}
	}
	return tree.Lookup(repo, root, name)
}

// contentError words the absence of a content object as ostree does: each repository that it has
// asked, unless an archive, says which object it wanted to open.
func contentError(repo *objstore.Repo, err error) error {
	absent := (*object.NotExistError)(nil)
	if !errors.As(err, &absent) || absent.Object.Kind != object.KindFile {
		return err
	}
	for r := repo; r != nil; r = r.Parent() {
		if r.Mode() != objstore.Archive {
			err = fmt.Errorf("Opening content object %s: %w", absent.Object.Checksum, err)
		}
	}
	return err
}

package main

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"deployfs/cmd/internal/cli"
	"deployfs/mount/daemon"
	"deployfs/objstore"
	"deployfs/objstore/index"
	"deployfs/objstore/tree"
)

type indexOptions struct {
	drop     bool
	noLock   bool
	subpath  string
	cacheDir string
}

func indexVerb() cli.Verb {
	o := &indexOptions{}
	return cli.Verb{
		Name: "index", Args: "REV...", Short: "Build tree indexes ahead of time", Ours: true, JSON: true,
		Long: indexText,
		Options: []cli.Option{
			cli.Flag(&o.drop, "drop", "", "Remove indexes"),
			cli.Flag(&o.noLock, "no-lock", "", "Do not hold the repository's lock, so that prune need not wait"),
			cli.String(&o.subpath, "subpath", "", "PATH", "Of this directory of the commits, as mount shows it with the same option"),
			cacheDirOption(&o.cacheDir),
		},
		Examples: []cli.Example{
			{Command: "deployfs index os/main", Text: "after a pull, so that the next mount finds it"},
		},
		Complete: completeRevs,
		Run:      o.run,
	}
}

const indexText = `An index is one file that tells of every entry of a commit what a walk needs: name, type, mode, owner, size, link target, extended attributes and object. Mounts read it in place instead of opening objects, so that a first look at a directory costs about what it costs on a local filesystem. A mount that finds no index builds one by itself, a second later and in the background; this verb does it ahead of time. For each commit its checksum, the number of entries and the size of the index are printed.

Indexes are in REPO/deployfs/index when the repository is the user's own and can be written, else in the user's cache directory. They are derived data: one that is damaged or of another version is built anew without a word, and those of trees that were pruned are removed when a mount or this verb next looks. One that another user could have written is not used.`

// indexed is what is said of one commit.
type indexed struct {
	Commit  string  `json:"commit"`
	Entries int     `json:"entries"` // those of equal directories count once
	Bytes   int     `json:"bytes"`
	Seconds float64 `json:"seconds"` // that it took
	Dropped bool    `json:"dropped,omitempty"`
}

func (o *indexOptions) run(ctx context.Context, inv *cli.Invocation) error {
	if len(inv.Args) == 0 {
		return &cli.UsageError{Text: "a commit is needed"}
	}
	return daemon.WithRemedy(o.all(ctx, inv))
}

// all builds or drops the indexes of all commits.
func (o *indexOptions) all(ctx context.Context, inv *cli.Invocation) error {
	repo, err := openRepo(inv)
	if err != nil {
		return err
	}
	defer repo.Close()
	if !o.drop && !o.noLock {
		lock, err := repo.LockShared(ctx)
		if err != nil {
			return err
		}
		defer lock.Close()
	}
	store := index.OpenStore(repo, o.cacheDir)
	defer store.Close()
	done := []indexed{}
	for _, rev := range inv.Args {
		one, err := o.one(ctx, repo, store, rev)
		if err != nil {
			return err
		}
		done = append(done, one)
		if !inv.JSON && !o.drop {
			fmt.Fprintf(inv.Stdout, "%s %d entries, %s\n", one.Commit, one.Entries, amount(int64(one.Bytes)))
		}
	}
	if inv.JSON {
		return cli.WriteJSON(inv.Stdout, done)
	}
	return nil
}

// one builds or drops the index of one commit.
func (o *indexOptions) one(ctx context.Context, repo *objstore.Repo, store *index.Store, rev string) (done indexed, err error) {
	start := time.Now()
	commit, err := repo.Resolve(rev)
	if err != nil {
		return done, err
	}
	done.Commit = commit.String()
	dir, err := o.dir(repo, done.Commit) // a ref may move meanwhile
	if err != nil {
		return done, err
	}
	root := index.Root{Tree: dir.Tree, Meta: dir.Meta}
	if o.drop {
		done.Dropped, err = store.Drop(root)
		return done, err
	}
	m, err := store.Make(ctx, repo, root)
	if err != nil {
		return done, err
	}
	done.Entries, done.Bytes, done.Seconds = m.Len(), m.Size(), time.Since(start).Seconds()
	return done, m.Close()
}

// dir is the directory of a commit that is indexed.
func (o *indexOptions) dir(repo *objstore.Repo, commit string) (tree.Entry, error) {
	root, err := resolveTree(repo, commit)
	if err != nil || o.subpath == "" {
		return root, err
	}
	dir, err := tree.Lookup(repo, root, o.subpath)
	if err == nil && !dir.IsDir() {
		err = &tree.Error{Path: dir.Path, Err: unix.ENOTDIR}
	}
	if err != nil {
		err = fmt.Errorf("subpath %s: %w", o.subpath, err)
	}
	return dir, err
}

// cacheDirOption takes the directory of derived data.
func cacheDirOption(dir *string) cli.Option {
	*dir = daemon.CacheDir()
	return cli.String(dir, "cache-dir", "", "DIR", "Where derived data is kept (/var/cache/deployfs, or deployfs in the user's cache directory)")
}

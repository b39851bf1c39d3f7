package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"deployfs/cmd/deployfs/explore"
	"deployfs/cmd/internal/cli"
	"deployfs/mount/daemon"
	"deployfs/mount/keeper"
	"deployfs/objstore"
	"deployfs/objstore/object"
)

func exploreVerb() cli.Verb {
	return cli.Verb{
		Name: "explore", Args: "[REV]", Short: "Look through a repository on the whole screen", Ours: true,
		Long: "Shows the refs of the repository, or the log of REV; from there its commits, their trees and files, and what differs between two commits. Nothing is read but what is on the screen, however long the history and however large the files; files of up to 8 MiB are checked against their checksums before they are shown. Refs that change meanwhile are followed. Directories are mounted below $XDG_RUNTIME_DIR/deployfs/explore (root: /run/deployfs/explore) unless another place is named, and stay mounted afterwards.\n\n" +
			"Keys are those of tig and lazygit:\n\n" + explore.Keys,
		Examples: []cli.Example{
			{Command: "deployfs explore --repo=/srv/repo", Text: "all refs"},
			{Command: "deployfs explore os/main", Text: "the log of a ref, at first"},
		},
		Complete: completeRev,
		Run:      runExplore,
	}
}

// pollTime is how often the refs are looked at.
const pollTime = time.Second

func runExplore(ctx context.Context, inv *cli.Invocation) error {
	if len(inv.Args) > 1 {
		return &cli.UsageError{Text: fmt.Sprintf("one commit at most, not %d arguments", len(inv.Args))}
	}
	repo, err := openRepo(inv)
	if err != nil {
		return err
	}
	defer repo.Close()
	cfg := explore.Config{Repo: exploredRepo{repo}, Mounter: mounter{repo: repoPath(inv)}, MountDir: exploreMounts, Poll: pollTime}
	if len(inv.Args) == 1 {
		cfg.Rev = inv.Args[0]
		if _, err := repo.Resolve(cfg.Rev); err != nil {
			return err
		}
	}
	mounted, err := explore.Run(ctx, cfg)
	for _, dir := range mounted {
		fmt.Fprintln(inv.Stdout, "still mounted:", daemon.Line(dir))
	}
	return err
}

// exploreMounts is where mounts are proposed.
func exploreMounts() (string, error) {
	dir, err := keeper.RuntimeDir()
	return filepath.Join(dir, "explore"), err
}

// exploredRepo is a repository as explore reads it.
type exploredRepo struct{ *objstore.Repo }

// Open opens a file's content.
func (r exploredRepo) Open(sum object.Checksum) (explore.Content, error) { return r.Content(sum) }

// mounter mounts as verb mount does.
type mounter struct{ repo string }

// Mount mounts a directory of a commit.
func (m mounter) Mount(ctx context.Context, rev, path, dir string) error {
	cfg := daemon.Default(m.repo, rev, dir)
	cfg.Subpath = path
	return daemon.Start(ctx, cfg)
}

// Unmount takes it away.
func (m mounter) Unmount(dir string) error { return daemon.Unmount(dir, false) }

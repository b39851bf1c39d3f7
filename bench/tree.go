package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// Modes of repositories.
const (
	bare     = "bare"
	bareUser = "bare-user"
	archive  = "archive"
)

// tree is a forest on disk with what peers make it usable from. Each part is made when it is first
// asked for.
type tree struct {
	*forest
	huge bool   // asked only what a tree of this size can answer in time
	dir  string // holds everything
	// Paths of what was made, by mode of the repository and kind of the image.
	repos, images map[string]string
	grown         bool
}

// newTree plans a tree below work.
func newTree(work string, entries int, huge bool, s shape) *tree {
	label := strconv.Itoa(entries)
	if entries%1000 == 0 {
		label = strconv.Itoa(entries/1000) + "k"
	}
	return &tree{
		forest: plan(label, entries, s), huge: huge, dir: filepath.Join(work, label),
		repos: map[string]string{}, images: map[string]string{},
	}
}

// ref is the name of the commit in each repository of the tree.
func (t *tree) ref() string { return "t" + t.name }

// source is the tree itself.
func (t *tree) source() (string, error) {
	root := filepath.Join(t.dir, "tree")
	if t.grown {
		return root, nil
	}
	say("making the tree of %s", t)
	if err := os.Mkdir(t.dir, 0o755); err != nil {
		return "", err
	}
	if err := t.grow(root); err != nil {
		return "", err
	}
	if t.grown = true; t.huge {
		t.forget()
	}
	return root, nil
}

// repo is a repository of its own that holds the tree. Only the bare one holds the large file: no
// question is asked about it in another mode.
func (t *tree) repo(ctx context.Context, mode string) (string, error) {
	if path := t.repos[mode]; path != "" {
		return path, nil
	}
	root, err := t.source()
	if err != nil {
		return "", err
	}
	say("committing %s to a %s repository", t.name, mode)
	path := filepath.Join(t.dir, "repo-"+mode)
	if _, err := run(ctx, "ostree", "init", "--repo="+path, "--mode="+mode); err != nil {
		return "", err
	}
	commit := []string{"ostree", "commit", "--repo=" + path, "-b", t.ref(), "--tree=dir=" + root, "--fsync=false"}
	if mode != bare && t.largest() != nil {
		skip := filepath.Join(t.dir, "skip")
		if err := os.WriteFile(skip, []byte("/"+largeFile+"\n"), 0o644); err != nil {
			return "", err
		}
		commit = append(commit, "--skip-list="+skip)
	}
	if _, err := setUp(ctx, commit...); err != nil {
		return "", err
	}
	unix.Sync()
	t.repos[mode] = path
	return path, nil
}

// image is a file that holds the tree, made by command, to which the paths of the tree and of the
// image are added in the order that it wants.
func (t *tree) image(ctx context.Context, kind string, command func(root, image string) []string) (string, error) {
	if path := t.images[kind]; path != "" {
		return path, nil
	}
	root, err := t.source()
	if err != nil {
		return "", err
	}
	say("making the %s image of %s", kind, t.name)
	path := filepath.Join(t.dir, kind+".img")
	if _, err := setUp(ctx, command(root, path)...); err != nil {
		return "", fmt.Errorf("%s image: %w", kind, err)
	}
	unix.Sync()
	t.images[kind] = path
	return path, nil
}

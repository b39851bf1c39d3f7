package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// askDiff asks what differs between two commits of a tree, of which one file's content does.
func (b *bench) askDiff(ctx context.Context) error {
	ours := &reporter{name: subject, label: "deployfs diff", path: b.peers.standard.path, make: makeChanged, args: diffArgs}
	theirs := &reporter{name: native, path: "ostree", make: makeChanged, args: diffArgs}
	var questions []question
	for _, t := range b.trees {
		questions = append(questions, question{
			id: "diff", title: fmt.Sprintf("diff of %s, one file changed (to `ostree diff`; objects opened)", t.name), tree: t,
			peers: []peer{ours, theirs}, before: found,
			timed: report,
		})
	}
	return b.each(ctx, questions...)
}

// makeChanged commits the tree once more, with one file changed.
func makeChanged(ctx context.Context, t *tree) error {
	_, err := t.changed(ctx)
	return err
}

func diffArgs(t *tree) []string {
	return []string{"diff", "--repo=" + t.repos[bare], t.ref(), t.ref() + "-changed"}
}

// found fails unless the peer finds the one change.
func found(ctx context.Context, s spot) error {
	out, err := run(ctx, s.peer.(*reporter).command(s.tree)...)
	if want := "M    /" + s.tree.victim() + "\n"; err == nil && string(out) != want {
		err = fmt.Errorf("found %.200q, not %q", out, want)
	}
	return err
}

// victim is the file that changes.
func (t *tree) victim() string { return t.small(1)[0].path }

// changed is the commit beside the tree's, in the bare repository, in which one file is another.
func (t *tree) changed(ctx context.Context) (ref string, err error) {
	repo, err := t.repo(ctx, bare)
	ref = t.ref() + "-changed"
	if _, absent := os.Stat(filepath.Join(repo, "refs/heads", ref)); err != nil || absent == nil {
		return ref, err
	}
	over := filepath.Join(t.dir, "changed")
	path := filepath.Join(over, t.victim())
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return ref, err
	}
	if err := os.WriteFile(path, []byte("changed\n"), 0o644); err != nil {
		return ref, err
	}
	_, err = setUp(ctx, "ostree", "commit", "--repo="+repo, "-b", ref, "--tree=ref="+t.ref(), "--tree=dir="+over, "--fsync=false")
	return ref, err
}

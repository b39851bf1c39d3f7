package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
)

const (
	historyLength = 2000 // commits
	victimEvery   = 100  // of them change the file that is asked about
)

// askLog asks which commits of a long history changed a file of the main tree.
func (b *bench) askLog(ctx context.Context) error {
	t, length := b.main, b.historyLength()
	make := func(ctx context.Context, t *tree) error { return t.lengthen(ctx, length) }
	ours := &reporter{name: subject, label: "deployfs log", path: b.peers.standard.path, make: make, args: func(t *tree) []string {
		return []string{"log", "--oneline", "--repo=" + t.repos[bare], t.ref() + "-long", "--", t.victim()}
	}}
	theirs := b.ostreeLog(length)
	return b.each(ctx, question{
		id: "log", title: fmt.Sprintf("log of a file over %d commits of %s (to `ostree log`, of all; objects opened)", length, t.name), tree: t,
		peers: []peer{ours, theirs}, timed: report,
		before: func(ctx context.Context, s spot) error { return s.peer.(*reporter).lists(ctx, t, length) },
	})
}

// historyLength is the number of commits of the long history.
func (b *bench) historyLength() int {
	if b.quick {
		return victimEvery
	}
	return historyLength
}

// ostreeLog lists all commits of the long history.
func (b *bench) ostreeLog(length int) *reporter {
	make := func(ctx context.Context, t *tree) error { return t.lengthen(ctx, length) }
	return &reporter{name: native, path: "ostree", make: make, args: func(t *tree) []string {
		return []string{"log", "--repo=" + t.repos[bare], t.ref() + "-long"}
	}}
}

// lists fails unless as many commits are listed as there should be.
func (r *reporter) lists(ctx context.Context, t *tree, length int) error {
	out, err := run(ctx, r.command(t)...)
	got, want := bytes.Count(out, []byte("\n")), length/victimEvery
	if r.name == native {
		got, want = bytes.Count(out, []byte("commit ")), length
	}
	if err == nil && got != want {
		err = fmt.Errorf("%d commits listed, not %d", got, want)
	}
	return err
}

// lengthen makes a history beside the tree's commit, in the bare repository: each commit changes a file
// beside the victim's directory, and each hundredth the victim, too.
func (t *tree) lengthen(ctx context.Context, length int) error {
	repo, err := t.repo(ctx, bare)
	ref := t.ref() + "-long"
	if _, absent := os.Stat(filepath.Join(repo, "refs/heads", ref)); err != nil || absent == nil {
		return err
	}
	over := filepath.Join(t.dir, "long")
	counter := filepath.Join(over, filepath.Dir(filepath.Dir(t.victim())), "counter")
	victim := filepath.Join(over, t.victim())
	if err := os.MkdirAll(filepath.Dir(victim), 0o755); err != nil {
		return err
	}
	for i := range length {
		text := fmt.Appendf(nil, "%d\n", i)
		if err := os.WriteFile(counter, text, 0o644); err != nil {
			return err
		}
		if i%victimEvery == 0 {
			if err := os.WriteFile(victim, text, 0o644); err != nil {
				return err
			}
		}
		if _, err := setUp(ctx, "ostree", "commit", "--repo="+repo, "-b", ref, "-s", fmt.Sprint("change ", i), "--tree=ref="+t.ref(), "--tree=dir="+over, "--fsync=false"); err != nil {
			return err
		}
	}
	return nil
}

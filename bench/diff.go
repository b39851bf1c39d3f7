package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
)

// askDiff asks what differs between two commits of a tree, of which one file's content does.
func (b *bench) askDiff(ctx context.Context) error {
	ours := &differ{name: subject, label: "deployfs diff", path: b.peers.standard.path}
	theirs := &differ{name: native, path: "ostree"}
	var questions []question
	for _, t := range b.trees {
		questions = append(questions, question{
			id: "diff", title: fmt.Sprintf("diff of %s, one file changed (to `ostree diff`; objects opened)", t.name), tree: t,
			peers: []peer{ours, theirs}, before: found,
			timed: func(ctx context.Context, s spot) error {
				return runFor(ctx, deadline, nil, s.peer.(*differ).command(t)...)
			},
		})
	}
	return b.each(ctx, questions...)
}

// found fails unless the peer finds the one change.
func found(ctx context.Context, s spot) error {
	out, err := run(ctx, s.peer.(*differ).command(s.tree)...)
	if want := "M    /" + s.tree.victim() + "\n"; err == nil && string(out) != want {
		err = fmt.Errorf("found %.200q, not %q", out, want)
	}
	return err
}

// differ is a program that compares commits. It makes no tree usable: what is related to it is
// another such program, and its requests are the objects that it opens.
type differ struct {
	name, label string
	path        string // of the program
	tree        *tree  // that was prepared last
	opened      uint64 // objects, in all runs that were watched
}

var _ peer = (*differ)(nil)

func (d *differ) column() string  { return d.name }
func (d *differ) variant() string { return d.label }
func (d *differ) absent() string  { return "" }

// prepare commits the tree once more, with one file changed.
func (d *differ) prepare(ctx context.Context, t *tree) error {
	d.tree = t
	_, err := t.changed(ctx)
	return err
}

func (d *differ) place(context.Context, *tree, string) error { return nil }
func (d *differ) renew(context.Context, *tree, string) error { return nil }
func (d *differ) remove(context.Context, string) error       { return nil }

func (d *differ) command(t *tree) []string {
	return []string{d.path, "diff", "--repo=" + t.repos[bare], t.ref(), t.ref() + "-changed"}
}

// objectOpened is a line of strace about an object that was opened.
var objectOpened = regexp.MustCompile(`(?m)^.*openat2?\([^"]*"[^"]*[0-9a-f]{2}/[0-9a-f]{62}\.[a-z]+".* = [0-9]+$`)

// status watches one more run, beside those that are measured: it counts the objects that are opened.
// Without strace nobody can tell.
func (d *differ) status(ctx context.Context, _ string) (status, error) {
	if _, err := exec.LookPath("strace"); err != nil {
		return status{}, nil
	}
	var trace bytes.Buffer
	log, err := os.CreateTemp("", "bench-diff-")
	if err != nil {
		return status{}, err
	}
	defer os.Remove(log.Name())
	defer log.Close()
	command := append([]string{"strace", "-f", "-qq", "-e", "trace=openat,openat2", "-o", log.Name()}, d.command(d.tree)...)
	if err := runFor(ctx, deadline, nil, command...); err != nil {
		return status{}, err
	}
	if _, err := trace.ReadFrom(log); err != nil {
		return status{}, err
	}
	d.opened += uint64(len(objectOpened.FindAll(trace.Bytes(), -1)))
	return status{PID: os.Getpid(), Requests: d.opened}, nil
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

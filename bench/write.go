package main

import (
	"context"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// worker is a program that writes: a repository or a checkout, in a directory that was not there before.
type worker struct {
	name, label string
	path        string // of the program
	modes       []string
	args        func(t *tree, dir string) []string
}

var _ peer = (*worker)(nil)

func (w *worker) column() string  { return w.name }
func (w *worker) variant() string { return w.label }
func (w *worker) absent() string  { return "" }

func (w *worker) prepare(ctx context.Context, t *tree) error {
	for _, mode := range w.modes {
		if _, err := t.repo(ctx, mode); err != nil {
			return err
		}
	}
	return nil
}

func (w *worker) place(context.Context, *tree, string) error { return nil }
func (w *worker) renew(context.Context, *tree, string) error { return nil }

// remove leaves the files, for the reason that (*checkout).remove has.
func (w *worker) remove(context.Context, string) error           { return nil }
func (w *worker) status(context.Context, string) (status, error) { return status{}, nil }

// work runs the program once.
func work(ctx context.Context, s spot) error {
	w := s.peer.(*worker)
	return runFor(ctx, deadline, nil, append([]string{w.path}, w.args(s.tree, s.dir)...)...)
}

// askWrites asks how long the verbs take that write or check a repository: ours and ostree's, with the same
// words.
func (b *bench) askWrites(ctx context.Context) error {
	t := b.main
	modes := []string{bare, bareUser, archive}
	return b.each(ctx,
		b.commits(bare), b.commits(archive), b.recommits(),
		b.works("checkout linked", "checkout of "+t.name+" from bare, linked", modes, nil, func(t *tree, dir string) []string {
			return []string{"checkout", "--repo=" + t.repos[bare], t.ref(), dir}
		}),
		b.works("checkout copied", "checkout of "+t.name+" from bare-user, copied", modes, nil, func(t *tree, dir string) []string {
			return []string{"checkout", "--repo=" + t.repos[bareUser], t.ref(), dir}
		}),
		b.works("checkout inflated", "checkout of "+t.name+" from archive, inflated", modes, nil, func(t *tree, dir string) []string {
			return []string{"checkout", "--repo=" + t.repos[archive], t.ref(), dir}
		}),
		b.fscks(bareUser), b.fscks(archive),
		b.pulls(bareUser, bareUser), b.pulls(bareUser, archive), b.pulls(archive, bareUser),
	)
}

// works is a question about a verb, to both programs, each time in a directory of its own.
func (b *bench) works(id, title string, modes []string, before func(context.Context, spot) error, args func(*tree, string) []string) question {
	verb := args(b.main, "")[0]
	return question{
		id: id, title: title, tree: b.main, fresh: true, timed: work,
		peers: []peer{
			&worker{subject, "deployfs " + verb, b.peers.standard.path, modes, args},
			&worker{native, "", "ostree", modes, args},
		},
		before: func(ctx context.Context, s spot) error {
			if before != nil {
				if err := before(ctx, s); err != nil {
					return err
				}
			}
			unix.Sync() // what others have written is not waited for
			return nil
		},
	}
}

// commits asks about commits to a new repository.
func (b *bench) commits(mode string) question {
	return b.works("commit "+mode, "commit of "+b.main.name+" to a new repository, "+mode, []string{bareUser}, initialise(mode), commitArgs)
}

// recommits asks about a commit of a tree that the repository has already.
func (b *bench) recommits() question {
	return b.works("commit again", "commit of "+b.main.name+" that the repository holds, bare-user", []string{bareUser}, nil, func(t *tree, _ string) []string {
		return commitArgs(t, t.repos[bareUser])
	})
}

// commitArgs commits a tree but for its large file.
func commitArgs(t *tree, repo string) []string {
	return []string{
		"commit", "--repo=" + repo, "-b", "again", "--timestamp=@1700000000", "--tree=dir=" + filepath.Join(t.dir, "tree"),
		"--skip-list=" + filepath.Join(t.dir, "skip"),
	}
}

// initialise makes an empty repository.
func initialise(mode string) func(context.Context, spot) error {
	return func(ctx context.Context, s spot) error {
		_, err := run(ctx, "ostree", "init", "--repo="+s.dir, "--mode="+mode)
		return err
	}
}

func (b *bench) fscks(mode string) question {
	return b.works("fsck "+mode, "fsck of "+b.main.name+", "+mode, []string{mode}, nil, func(t *tree, _ string) []string {
		return []string{"fsck", "-q", "--repo=" + t.repos[mode]}
	})
}

// pulls asks about copies of a commit into a new repository.
func (b *bench) pulls(from, to string) question {
	return b.works("pull-local "+from+" "+to, "pull-local of "+b.main.name+", "+from+" to "+to, []string{from}, initialise(to), func(t *tree, dir string) []string {
		return []string{"pull-local", "--repo=" + dir, t.repos[from], t.ref()}
	})
}

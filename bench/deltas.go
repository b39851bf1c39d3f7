package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

const (
	updateEvery = 40      // a file of so many is another after the update
	freshEvery  = 4       // of these has nothing of the old one
	largestBase = 4 << 20 // bytes of the largest file that changes in part, but for the big program
)

// askDeltas asks how long static deltas take to make and to apply, and how large they are. One that is applied was
// made by ostree.
func (b *bench) askDeltas(ctx context.Context) error {
	t, program := b.carried(), b.graft.static
	generate := func(t *tree, file string) []string {
		return []string{"static-delta", "generate", "--repo=" + t.repos[archive], "--from=" + t.ref(), "--to=" + t.updateRef(), "--inline", "--filename=" + file}
	}
	q := b.works("delta generate", "static delta of an update of "+t.name+" made", []string{archive}, func(ctx context.Context, s spot) error {
		return t.update(ctx, program)
	}, generate)
	q.tree, q.slow = t, true
	if err := b.askSized(ctx, q, "static delta of an update of "+t.name, fileSize); err != nil {
		return err
	}
	delta := filepath.Join(t.dir, "update.delta")
	q = b.works("delta apply", "static delta of an update of "+t.name+" applied, bare-user", []string{archive, bareUser}, func(ctx context.Context, s spot) error {
		if err := t.update(ctx, program); err != nil {
			return err
		}
		if _, absent := os.Stat(delta); absent != nil {
			if _, err := setUp(ctx, append([]string{"ostree"}, generate(t, delta)...)...); err != nil {
				return err
			}
		}
		if _, err := run(ctx, "cp", "-al", t.repos[bareUser], s.dir); err != nil { // what is written replaces files, or is new
			return err
		}
		_, err := run(ctx, "ostree", "pull-local", "--repo="+s.dir, t.repos[archive], t.ref()) // commits differ in their time
		return err
	}, func(_ *tree, dir string) []string {
		return []string{"static-delta", "apply-offline", "--repo=" + dir, delta}
	})
	q.tree = t
	return b.ask(ctx, q)
}

func fileSize(s spot) (float64, error) {
	info, err := os.Stat(s.dir)
	if err != nil {
		return 0, err
	}
	return float64(info.Size()), nil
}

// updateRef is the commit after the tree's, in the archive.
func (t *tree) updateRef() string { return t.ref() + "-update" }

// update makes it: some files are edited, some are replaced, the program among the first.
func (t *tree) update(ctx context.Context, program string) error {
	repo := t.repos[archive]
	if _, absent := os.Stat(filepath.Join(repo, "refs/heads", t.updateRef())); absent == nil {
		return nil
	}
	over := filepath.Join(t.dir, "update")
	rng := rand.NewChaCha8([32]byte{1})
	n := 0
	for i, f := range t.files {
		if f.path == largeFile || f.path != program && (i%updateEvery != 0 || f.size > largestBase) {
			continue
		}
		n++
		if err := t.edit(over, f, rng, n%freshEvery == 0 && f.path != program); err != nil {
			return fmt.Errorf("%s: %w", f.path, err)
		}
	}
	_, err := setUp(ctx, "ostree", "commit", "--repo="+repo, "-b", t.updateRef(), "--tree=ref="+t.ref(), "--tree=dir="+over, "--fsync=false")
	unix.Sync()
	return err
}

// edit writes the next version of a file: of other bytes, or with a few of them changed and some new ones in the
// middle.
func (t *tree) edit(over string, f file, rng *rand.ChaCha8, fresh bool) error {
	data, err := os.ReadFile(filepath.Join(t.dir, "tree", f.path))
	if err != nil {
		return err
	}
	if fresh {
		rng.Read(data)
	} else {
		added := make([]byte, 16+len(data)/100)
		rng.Read(added)
		at := len(data) / 3
		data = append(append(append([]byte(nil), data[:at]...), added...), data[at:]...)
		for i := at * 2; i < len(data); i += 10_000 {
			data[i]++
		}
	}
	path := filepath.Join(over, f.path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, data, f.mode)
}

package prune

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"deployfs/objstore/object"
	"deployfs/objstore/transaction"
)

// detach gives a commit detached metadata.
func (c *chain) detach(commit object.Checksum) (file string) {
	c.t.Helper()
	file = c.file(object.Name{Checksum: commit, Kind: object.KindCommitMeta})
	check(c.t, os.MkdirAll(filepath.Dir(file), 0o755))
	check(c.t, os.WriteFile(file, nil, 0o644))
	return file
}

func (c *chain) file(name object.Name) string {
	_, path := c.repo.ObjectFile(name)
	return filepath.Join(c.repo.Path(), "objects", path)
}

func exists(file string) bool {
	_, err := os.Lstat(file)
	return err == nil
}

// TestDetached: detached metadata goes with its commit, or later when a prune was cut
// off, and never before it.
func TestDetached(t *testing.T) {
	c := newChain(t, 3)
	c.ref("main", 2)
	gone, kept := c.detach(c.commits[1]), c.detach(c.commits[2])
	lone := c.detach(object.Checksum{7})
	parts := [2]string{c.file(object.Name{Checksum: c.commits[0], Kind: object.KindCommit}), c.detach(c.commits[0])}
	check(t, os.Remove(parts[0]))
	check(t, os.Mkdir(parts[0], 0o755)) // which can't be unlinked
	options := Options{RefsOnly: true}
	if _, err := Run(context.Background(), c.repo, options); err == nil || !exists(parts[1]) {
		t.Errorf("a commit that stays has lost its detached metadata: %v", err)
	}
	check(t, os.Remove(parts[0]))
	if _, err := Run(context.Background(), c.repo, Options{RefsOnly: true, DryRun: true}); err != nil || !exists(lone) {
		t.Errorf("a dry run deletes: %v", err)
	}
	_, err := Run(context.Background(), c.repo, options)
	check(t, err)
	if exists(gone) || exists(lone) || exists(parts[1]) || !exists(kept) {
		t.Errorf("there is: with its commit %v, alone %v, %v, of a commit that stays %v", exists(gone), exists(lone), exists(parts[1]), exists(kept))
	}
}

// TestRemoveObject: fsck deletes in the same order.
func TestRemoveObject(t *testing.T) {
	c := newChain(t, 1)
	name := object.Name{Checksum: c.commits[0], Kind: object.KindCommit}
	meta := c.detach(c.commits[0])
	check(t, os.Remove(c.file(name)))
	check(t, os.Mkdir(c.file(name), 0o755))
	if err := c.repo.RemoveObject(name); err == nil || !exists(meta) {
		t.Errorf("detached metadata went first: %v", err)
	}
	check(t, os.Remove(c.file(name)))
	if err := c.repo.RemoveObject(name); err != nil || exists(meta) {
		t.Errorf("detached metadata is left: %v", err)
	}
}

// TestStaged: what a transaction has left that was cut off goes, since it may need what
// is deleted; what is in use stays.
func TestStaged(t *testing.T) {
	c := newChain(t, 1)
	c.ref("main", 0)
	check(t, c.repo.WriteConfig([]byte("[core]\nrepo_version=1\nmode=archive-z2\nlocking=false\n")))
	write := func() *transaction.Transaction {
		tx, err := transaction.Begin(context.Background(), c.repo)
		check(t, err)
		_, err = tx.WriteMetadata(object.KindDirMeta, object.DirMeta{Mode: object.ModeDir | 0o700}.Encode())
		check(t, err)
		return tx
	}
	count := func() int {
		found, _ := filepath.Glob(c.repo.Path() + "/tmp/staging-*/*/*" + object.KindDirMeta.String())
		return len(found)
	}
	check(t, write().Close())
	if count() != 1 {
		t.Fatalf("staged: %d", count())
	}
	_, err := Run(context.Background(), c.repo, Options{})
	check(t, err)
	if count() != 0 {
		t.Error("what was left is still there")
	}
	tx := write()
	defer tx.Close()
	_, err = Run(context.Background(), c.repo, Options{})
	check(t, err)
	if count() != 1 {
		t.Error("what is in use is gone")
	}
}

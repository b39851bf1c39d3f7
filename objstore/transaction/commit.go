package transaction

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"deployfs/objstore/object"
)

// Commit makes what was written durable and visible: objects first, then refs. The
// transaction is over then, but for Close. When it fails or ctx ends, some objects
// may be visible, and refs only after all objects are.
func (t *Transaction) Commit(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if os.Getenv("OSTREE_REPO_TEST_ERROR") == "pre-commit" {
		return errors.New("OSTREE_REPO_TEST_ERROR_PRE_COMMIT specified")
	}
	if err := t.publish(); err != nil {
		return fmt.Errorf("committing transaction: %w", err)
	}
	if err := t.stage.remove(); err != nil {
		return err
	}
	if err := t.cleanTmp(); err != nil {
		return err
	}
	if err := t.moveRefs(ctx); err != nil {
		return err
	}
	t.adopted = nil
	return nil
}

// publish moves staged objects to their places: commits when what they need is
// durable there, so that no commit is ever seen that lacks something.
func (t *Transaction) publish() error {
	if err := t.sync(); err != nil {
		return err
	}
	if err := t.runLast(); err != nil {
		return err
	}
	buckets, err := readNames(t.stage.dir, ".")
	if err != nil {
		return err
	}
	buckets = slices.DeleteFunc(buckets, func(name string) bool { return len(name) != 2 })
	for _, commits := range []bool{false, true} {
		moved, err := t.moveAll(buckets, commits)
		if err == nil && (moved > 0 || !commits && len(t.adopted) > 0) {
			err = t.sync()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// sync makes durable what was done until now, in one call: the directories of
// objects, too, of which there are up to 257.
func (t *Transaction) sync() error {
	if !t.durable || os.Getenv("OSTREE_SUPPRESS_SYNCFS") != "" {
		return nil
	}
	if err := unix.Syncfs(int(t.repo.Dir().Fd())); err != nil {
		return fmt.Errorf("syncfs: %w", err)
	}
	return nil
}

// moveAll moves the commits of several directories, or all else there, side by
// side, and counts them.
func (t *Transaction) moveAll(buckets []string, commits bool) (int64, error) {
	todo := make(chan string)
	var threads sync.WaitGroup
	var once sync.Once
	var moved atomic.Int64
	var failed error
	for range min(runtime.GOMAXPROCS(0), len(buckets)) {
		threads.Go(func() {
			for bucket := range todo {
				n, err := t.move(bucket, commits)
				moved.Add(n)
				if err != nil {
					once.Do(func() { failed = err })
				}
			}
		})
	}
	for _, bucket := range buckets {
		todo <- bucket
	}
	close(todo)
	threads.Wait()
	return moved.Load(), failed
}

// move moves the objects of one directory. Those that others have made meanwhile
// keep their files: the content is the same, and there may be links to it.
func (t *Transaction) move(bucket string, commits bool) (moved int64, err error) {
	objects, _ := t.repo.ObjectFile(object.Name{Kind: object.KindCommit})
	if err := makeBucket(objects, bucket+"/"); err != nil {
		return 0, err
	}
	from, err := openDir(t.stage.dir, bucket)
	if err != nil {
		return 0, err
	}
	defer from.Close()
	to, err := openDir(objects, bucket)
	if err != nil {
		return 0, err
	}
	defer to.Close()
	names, err := from.Readdirnames(-1)
	if err != nil {
		return 0, err
	}
	for _, name := range names {
		if strings.HasSuffix(name, "."+object.KindCommit.String()) != commits {
			continue
		}
		if err := moveOne(int(from.Fd()), int(to.Fd()), name); err != nil {
			return moved, fmt.Errorf("renameat(%s/%s): %w", bucket, name, err)
		}
		moved++
	}
	return moved, nil
}

func moveOne(from, to int, name string) error {
	if strings.HasSuffix(name, "."+object.KindCommitMeta.String()) {
		return unix.Renameat(from, name, to, name)
	}
	err := renameNew(from, name, to, name)
	if err == unix.EEXIST {
		return unix.Unlinkat(from, name, 0)
	}
	return err
}

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
	buckets = slices.DeleteFunc(buckets, func(name string) bool { return !isBucket(name) })
	for _, commits := range []bool{false, true} {
		moved, err := t.moveAll(buckets, commits)
		if err == nil && commits {
			err = t.exhumeAll()
		}
		if err == nil && (moved > 0 || !commits && len(t.adopted) > 0) {
			err = t.sync()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// isBucket reports whether a directory of objects may have this name.
func isBucket(name string) bool {
	return len(name) == 2 && strings.Trim(name, "0123456789abcdef") == ""
}

// sync makes durable what was done until now, in one call: the directories of
// objects, too, of which there are up to 257. When it fails, nobody knows what of the
// staged objects is on the disk, and no later call would tell: they are deleted.
func (t *Transaction) sync() error {
	if !t.durable || os.Getenv("OSTREE_SUPPRESS_SYNCFS") != "" {
		return nil
	}
	if err := t.flush(int(t.repo.Dir().Fd())); err != nil {
		return errors.Join(fmt.Errorf("syncfs: %w", err), t.stage.remove())
	}
	return nil
}

// moveAll moves the transaction's commits of several directories, or all else there,
// side by side, and counts them.
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

// move moves the objects of one directory: all at once where nobody has made it in
// the repository. Moving one of them after the other is what takes time at the end
// of a large commit, as the kernel lets no two files change directories side by side.
func (t *Transaction) move(bucket string, commits bool) (moved int64, err error) {
	from, err := openDir(t.stage.dir, bucket)
	if errors.Is(err, unix.ENOENT) {
		return 0, nil // it was moved as a whole
	}
	if err != nil {
		return 0, err
	}
	defer from.Close()
	names, err := from.Readdirnames(-1)
	if err != nil {
		return 0, err
	}
	count := len(names)
	names = slices.DeleteFunc(names, func(name string) bool {
		return strings.HasSuffix(name, commitSuffix) != commits || t.isForeign(bucket, name)
	})
	objects, _ := t.repo.ObjectFile(object.Name{Kind: object.KindCommit})
	if !commits && len(names) == count &&
		unix.Renameat2(int(t.stage.dir.Fd()), bucket, int(objects.Fd()), bucket, unix.RENAME_NOREPLACE) == nil {
		return int64(count), nil
	}
	return t.moveEach(from, objects, bucket, names)
}

// moveEach moves objects into a directory of the repository. Those that others have
// made meanwhile keep their files: the content is the same, and there may be links to
// it.
func (t *Transaction) moveEach(from, objects *os.File, bucket string, names []string) (moved int64, err error) {
	if len(names) == 0 {
		return 0, nil
	}
	if err := makeBucket(objects, bucket+"/"); err != nil {
		return 0, err
	}
	to, err := openDir(objects, bucket)
	if err != nil {
		return 0, err
	}
	defer to.Close()
	for _, name := range names {
		if err := t.moveOne(int(from.Fd()), int(to.Fd()), bucket, name); err != nil {
			return moved, fmt.Errorf("renameat(%s/%s): %w", bucket, name, err)
		}
		moved++
	}
	return moved, nil
}

var (
	commitSuffix = "." + object.KindCommit.String()
	metaSuffix   = "." + object.KindCommitMeta.String()
)

// isForeign reports whether a file is a commit, or detached metadata of one, that a
// transaction has left that was cut off. What the commit needs may be gone by now.
func (t *Transaction) isForeign(bucket, name string) bool {
	if !strings.HasSuffix(name, commitSuffix) && !strings.HasSuffix(name, metaSuffix) {
		return false
	}
	_, own := t.own[bucket+"/"+name]
	return !own
}

// moveOne moves a file. What is torn makes room for it.
func (t *Transaction) moveOne(from, to int, bucket, name string) error {
	if strings.HasSuffix(name, metaSuffix) {
		return unix.Renameat(from, name, to, name)
	}
	err := renameNew(from, name, to, name)
	if err == unix.EEXIST {
		if t.isTorn(bucket + "/" + name) {
			return swap(from, name, to, name)
		}
		return unix.Unlinkat(from, name, 0)
	}
	return err
}

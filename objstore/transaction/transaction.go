package transaction

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/object"
	"deployfs/objstore/refs"
)

// Transaction is what is being written into a repository. Its methods may be
// called at the same time, but for Commit and Close, which end it.
type Transaction struct {
	repo     *objstore.Repo
	lock     *objstore.Lock
	stage    *stage
	objects  *os.File // where finished objects go: of the stage, or the repository's own
	direct   bool     // the latter
	durable  bool     // core.fsync
	each     bool     // core.per-object-fsync: each object is made durable by itself
	level    int      // of compression in an archive
	space    space
	payloads payloads
	made     [256]atomic.Bool // directories that are known to be below objects
	sources  sync.Map         // *objstore.Repo: whether its objects may be linked
	noClone  atomic.Bool      // the file system shares no blocks
	count    counters
	sizes    *sizes // nil unless they are recorded

	last   func() error // see Last
	copied atomic.Bool  // Adopt has copied something

	mu        sync.Mutex
	refs      map[refs.Name]object.Checksum
	undecided map[refs.Name]func() (object.Checksum, error)
	adopted   []adopted // what is not the repository's own before all is committed
}

// Begin starts to write into a repository: it waits for those who delete from it.
// A transaction that was cut off in the same boot is gone on with.
func Begin(ctx context.Context, repo *objstore.Repo) (t *Transaction, err error) {
	t = &Transaction{repo: repo, refs: map[refs.Name]object.Checksum{}, undecided: map[refs.Name]func() (object.Checksum, error){}}
	if err := t.configure(); err != nil {
		return nil, err
	}
	if t.lock, err = repo.LockShared(ctx); err != nil {
		return nil, err
	}
	if err := t.begin(); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return t, nil
}

func (t *Transaction) begin() (err error) {
	if t.stage, err = openStage(t.repo.Dir()); err != nil {
		return fmt.Errorf("staging directory: %w", err)
	}
	t.objects = t.stage.dir
	if t.direct {
		t.objects, _ = t.repo.ObjectFile(object.Name{Kind: object.KindCommit})
	}
	t.payloads.find(t)
	return t.space.measure(t.repo)
}

// splitVariable lets mode bare-split-xattrs be written as far as ostree does it, for
// experiments: without the objects that hold xattrs, so that fsck complains.
const splitVariable = "OSTREE_EXP_WRITE_BARE_SPLIT_XATTRS"

// errSplit is worded as ostree's.
var errSplit = errors.New("Not allowed due to repo mode")

func (t *Transaction) configure() (err error) {
	if t.repo.Mode() == objstore.BareSplitXattrs && os.Getenv(splitVariable) == "" {
		return errSplit
	}
	if t.durable, err = t.repo.Fsync(); err != nil {
		return err
	}
	if t.each, err = t.repo.Config().Bool("core", "per-object-fsync", false); err != nil {
		return err
	}
	t.direct = !t.durable || t.each
	t.level, err = zlibLevel(t.repo.Config())
	return err
}

// Stats is what a transaction has done. Objects are counted as often as they were
// given to it, and as written where the repository did not hold them.
type Stats struct {
	Metadata, MetadataWritten int
	Content, ContentWritten   int
	BytesWritten              uint64 // of content, as it is in a file
}

type counters struct {
	metadata, metadataWritten, content, contentWritten atomic.Int64
	bytes                                              atomic.Uint64
}

// Stats is what was done until now.
func (t *Transaction) Stats() Stats {
	return Stats{
		Metadata: int(t.count.metadata.Load()), MetadataWritten: int(t.count.metadataWritten.Load()),
		Content: int(t.count.content.Load()), ContentWritten: int(t.count.contentWritten.Load()),
		BytesWritten: t.count.bytes.Load(),
	}
}

// Repo is the repository that is written to.
func (t *Transaction) Repo() *objstore.Repo { return t.repo }

// Has reports whether the repository itself, not a parent, holds an object or
// will with this transaction.
func (t *Transaction) Has(name object.Name) (bool, error) {
	objects, path := t.repo.ObjectFile(name)
	for _, dir := range []*os.File{objects, t.objects} {
		var st unix.Stat_t
		err := unix.Fstatat(int(dir.Fd()), path, &st, unix.AT_SYMLINK_NOFOLLOW)
		if err == nil {
			return true, nil
		}
		if err != unix.ENOENT {
			return false, fmt.Errorf("looking for object %s: %w", name, err)
		}
		if t.direct {
			break
		}
	}
	return false, nil
}

// Close ends the transaction. Unless it was committed, nothing of it is visible;
// objects that are staged wait for the next one.
func (t *Transaction) Close() error {
	errs := []error{t.disown()}
	if t.stage != nil {
		errs = append(errs, t.stage.close())
		t.stage = nil
	}
	errs = append(errs, t.lock.Close())
	t.lock = nil
	return errors.Join(errs...)
}

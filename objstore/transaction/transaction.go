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
	objects  *os.File           // where finished objects go: of the stage, or the repository's own
	direct   bool               // the latter
	durable  bool               // core.fsync
	flush    func(fd int) error // syncfs(2)
	each     bool               // core.per-object-fsync, unless core.fsync=false: each object is made durable by itself
	level    int                // of compression in an archive
	space    space
	payloads payloads
	fresh    func() (fresh, error) // looked at once
	made     [256]atomic.Bool      // directories that are known to be below objects
	sources  sync.Map              // *objstore.Repo: whether its objects may be linked
	noClone  atomic.Bool           // the file system shares no blocks
	count    counters
	sizes    *sizes   // nil unless they are recorded
	torn     sync.Map // paths below objects where there is something that is no object: true

	last   func() error // see Last
	copied atomic.Bool  // Adopt has copied something

	mu        sync.Mutex
	refs      map[refs.Name]object.Checksum
	undecided map[refs.Name]func() (object.Checksum, error)
	adopted   []adopted              // what is not the repository's own before all is committed
	own       map[string]object.Name // commits and their detached metadata, by path: no other staged ones become visible
}

// Begin starts to write into a repository: it waits for those who delete from it.
// A transaction that was cut off in the same boot is gone on with.
func Begin(ctx context.Context, repo *objstore.Repo) (*Transaction, error) {
	return start(ctx, repo, false)
}

// BeginAfresh is [Begin] for who does not trust what such a transaction has staged, as
// [ImportOptions].Untrusted needs it.
func BeginAfresh(ctx context.Context, repo *objstore.Repo) (*Transaction, error) {
	return start(ctx, repo, true)
}

func start(ctx context.Context, repo *objstore.Repo, afresh bool) (t *Transaction, err error) {
	t = &Transaction{
		repo: repo, flush: unix.Syncfs, own: map[string]object.Name{},
		refs: map[refs.Name]object.Checksum{}, undecided: map[refs.Name]func() (object.Checksum, error){},
	}
	if err := t.configure(); err != nil {
		return nil, err
	}
	if t.lock, err = repo.LockShared(ctx); err != nil {
		return nil, err
	}
	if err := t.open(afresh); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return t, nil
}

func (t *Transaction) open(afresh bool) (err error) {
	if t.stage, err = openStage(t.repo.Dir(), afresh); err != nil {
		return fmt.Errorf("staging directory: %w", err)
	}
	t.objects = t.stage.dir
	if t.direct {
		t.objects, _ = t.repo.ObjectFile(object.Name{Kind: object.KindCommit})
	}
	t.payloads.find(t)
	t.fresh = sync.OnceValues(t.tryFresh)
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
	if err = checkVerity(t.repo.Config()); err != nil {
		return err
	}
	t.each = t.each && t.durable
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

// claim has a staged commit, or detached metadata of one, become visible at the end.
func (t *Transaction) claim(name object.Name) {
	_, path := t.repo.ObjectFile(name)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.own[path] = name
}

// Repo is the repository that is written to.
func (t *Transaction) Repo() *objstore.Repo { return t.repo }

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

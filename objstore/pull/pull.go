package pull

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync/atomic"

	"deployfs/objstore"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
	"deployfs/objstore/refs"
	"deployfs/objstore/transaction"
)

// AllParents is the depth of a whole history.
const AllParents = math.MaxInt

// Options say what is pulled, and how far the other repository is trusted.
type Options struct {
	Refs []string // refs, and checksums of commits; nil is every ref that the other repository lists
	// CollectionRefs are refs of collections, in the place of Refs.
	CollectionRefs []refs.Name
	// Commits are the commits that some of the refs are to mean, whatever the other
	// repository says. A ref of no collection has no Collection.
	Commits map[refs.Name]object.Checksum

	Remote string // whose refs they become here; "" makes them local refs
	// Mirror has refs become local ones, or mirrored ones of their collection. When all
	// refs are pulled, they are those of the summary, which is copied, too.
	Mirror     bool
	Subpaths   []string // of trees, only what is at or below these paths; nil is all of it
	Depth      int      // so many parents of each commit, too
	CommitOnly bool     // commits without their trees
	Unbound    bool     // commits need not say that they are made for their refs
	NeedDeltas bool     // fail where a commit can't be had by a static delta
	DryRun     bool     // only what static deltas are going to bring is found out, see [Result.Plan]
	Newer      bool     // commits must not be older than those that their refs lead to here
	NewerThan  string   // nor than this revision; "" is none

	transaction.ImportOptions

	// VerifyCommit fails, naming the commit, unless it is signed; nil asks for no signature.
	// Detached is an a{sv}, or the zero Value.
	VerifyCommit func(commit object.Checksum, data []byte, detached gvariant.Value) error
	// VerifyStored is the same for a commit that is there already, whose failure is worded
	// otherwise; nil is VerifyCommit.
	VerifyStored func(commit object.Checksum, data []byte, detached gvariant.Value) error
	// VerifyDelta fails unless a static delta is signed: its superblock, by signatures as detached
	// metadata holds them. It is asked of each that has signatures, and, where core.sign-verify-deltas
	// demands these, of each. Nil is that no keys are known.
	VerifyDelta func(superblock []byte, signatures gvariant.Value) error
	// VerifySummary fails unless the other repository's summary is signed; nil asks
	// for no signature. It gets nil for a summary or summary.sig that is absent.
	VerifySummary func(summary, signatures []byte) error

	Progress *Progress       // may be nil
	Warn     func(err error) // told, by any goroutine, of damage, and what becomes of it; may be nil
}

// complete fills in what may be nil.
func (o *Options) complete() {
	if o.Progress == nil {
		o.Progress = new(Progress)
	}
	if o.Warn == nil {
		o.Warn = func(error) {}
	}
}

// Progress is how far a pull has come.
type Progress struct {
	Scanned atomic.Int64 // objects that were looked at
	Left    atomic.Int64 // objects that are known to be still to be looked at
	Fetched atomic.Int64 // objects that have come over the network
	Bytes   atomic.Int64 // bytes that have come over the network
}

// Local pulls from src into dest.
func Local(ctx context.Context, dest, src *objstore.Repo, o Options) (Result, error) {
	o.complete()
	lock, err := src.LockShared(ctx) // so that nobody deletes what is being taken over
	if err != nil {
		return Result{}, err
	}
	defer lock.Close()
	if o.NeedDeltas {
		return pullFiles(ctx, dest, src, o)
	}
	p := &puller{
		Options: o, dest: dest, collection: src.Collection(),
		from: &neighbour{src, o.ImportOptions, o.VerifySummary != nil},
	}
	return p.pull(ctx)
}

// puller is a pull under way.
type puller struct {
	Options
	dest       *objstore.Repo
	from       origin
	collection string // what commits must be bound to; "" is none

	ctx       context.Context
	t         *transaction.Transaction
	wanted    wanted
	list      listed              // the other repository's summary
	newer     map[refs.Name]dated // than which the commit of a ref must not be older
	newerThan dated               // than which no commit must be

	visited  map[object.Checksum]visit
	deltas   []*offer          // that are to be applied
	doubtful bool              // directories may be here of which not all is: some commit is partial
	plans    plan              // what they bring
	byDeltas uint64            // bytes of content that they have brought
	roots    []object.Name     // of the trees that are to be walked, and content
	partial  []object.Checksum // commits that are whole once these are walked
	detached int

	count counters
}

type counters struct {
	metadata, content, written, lossy atomic.Int64
	importedMetadata, importedContent atomic.Int64 // from repositories of this machine, where others are far
	parts                             atomic.Int64 // of static deltas
}

// pull finds what is wanted, takes it over and sets the refs.
func (p *puller) pull(ctx context.Context) (r Result, err error) {
	p.ctx, p.visited = ctx, map[object.Checksum]visit{}
	if err := p.choose(); err != nil {
		return r, err
	}
	p.from.begin()
	begin := transaction.Begin
	if p.Untrusted && p.from.near() {
		begin = transaction.BeginAfresh
	}
	if p.t, err = begin(ctx, p.dest); err != nil {
		return r, err
	}
	err = p.run()
	return p.result(), errors.Join(err, p.t.Close())
}

func (p *puller) run() (err error) {
	if p.doubtful, err = p.dest.HasPartial(); err != nil {
		return err
	}
	for _, commit := range p.wanted.order {
		if err := p.history(commit, p.Depth); err != nil {
			return err
		}
	}
	if err := p.applyDeltas(); err != nil || p.DryRun {
		return err
	}
	if err := p.walk(); err != nil {
		return err
	}
	if err := p.completeDeltas(); err != nil {
		return err
	}
	if err := p.setRefs(); err != nil {
		return err
	}
	if err := p.t.Commit(p.ctx); err != nil {
		return err
	}
	if err := p.copySummary(); err != nil {
		return err
	}
	for _, commit := range p.partial {
		if err := p.t.SetPartial(commit, false); err != nil {
			return err
		}
	}
	return nil
}

// take takes one object over, and counts it. It is to be freed, whatever becomes of it.
func (p *puller) take(ctx context.Context, name object.Name) (taken, error) {
	done, err := p.from.take(ctx, p.t, name)
	if err == nil {
		p.counted(name, done)
	}
	if done.free == nil {
		done.free = func() {}
	}
	return done, err
}

// counted counts an object that was taken over.
func (p *puller) counted(name object.Name, done taken) {
	p.Progress.Scanned.Add(1)
	if done.Damage != nil {
		p.Warn(fmt.Errorf("%w; it is taken over as it is", done.Damage))
	}
	if done.Lossy {
		p.count.lossy.Add(1)
	}
	p.count.written.Add(int64(done.Written))
	p.count.add(name.Kind, &done)
}

func (c *counters) add(kind object.Kind, done *taken) {
	metadata, content := &c.metadata, &c.content
	if done.local {
		metadata, content = &c.importedMetadata, &c.importedContent
	}
	switch {
	case done.Held:
	case kind == object.KindFile:
		content.Add(1)
	default:
		metadata.Add(1)
	}
}

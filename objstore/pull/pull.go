package pull

import (
	"context"
	"errors"
	"math"
	"path"
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
	Refs       []string // refs, and checksums of commits; nil is every ref that the other repository lists
	Remote     string   // whose refs they become here; "" makes them local refs
	Depth      int      // so many parents of each commit, too
	CommitOnly bool     // commits without their trees
	Unbound    bool     // commits need not say that they are made for their refs
	NeedDeltas bool     // fail where a commit can't be had by a static delta

	transaction.ImportOptions

	// VerifyCommit fails, naming the commit, unless it is signed; nil asks for no signature.
	// Detached is an a{sv}, or the zero Value.
	VerifyCommit func(commit object.Checksum, data []byte, detached gvariant.Value) error
	// VerifySummary fails unless the other repository's summary is signed; nil asks
	// for no signature. It gets nil for a summary or summary.sig that is absent.
	VerifySummary func(summary, signatures []byte) error

	Progress *Progress       // may be nil
	Warn     func(err error) // told, by any goroutine, of damage that is taken over; may be nil
}

// Progress is how far a pull has come.
type Progress struct {
	Scanned atomic.Int64 // objects that were looked at
	Left    atomic.Int64 // objects that are known to be still to be looked at
}

// Result is what a pull has brought.
type Result struct {
	Metadata int    // objects that were not there before
	Content  int    // the same
	Detached int    // bytes of detached metadata of commits that were there before
	Written  uint64 // bytes of content, where the repositories keep it differently
	Lossy    int    // files whose owner or xattrs the repository does not keep
}

// Local pulls from src into dest.
func Local(ctx context.Context, dest, src *objstore.Repo, o Options) (Result, error) {
	if o.Progress == nil {
		o.Progress = new(Progress)
	}
	if o.Warn == nil {
		o.Warn = func(error) {}
	}
	lock, err := src.LockShared(ctx) // so that nobody deletes what is being taken over
	if err != nil {
		return Result{}, err
	}
	defer lock.Close()
	wanted, tombstones, err := o.choose(dest, src)
	if err != nil {
		return Result{}, err
	}
	begin := transaction.Begin
	if o.Untrusted {
		begin = transaction.BeginAfresh
	}
	t, err := begin(ctx, dest)
	if err != nil {
		return Result{}, err
	}
	p := &puller{Options: o, ctx: ctx, src: src, t: t, wanted: wanted, tombstones: tombstones, visited: map[object.Checksum]visit{}}
	err = p.run()
	return p.result(), errors.Join(err, t.Close())
}

// puller is a pull under way.
type puller struct {
	Options
	ctx        context.Context
	src        *objstore.Repo
	t          *transaction.Transaction
	wanted     wanted
	tombstones bool // the source says of commits that it has deleted them

	visited  map[object.Checksum]visit
	roots    []object.Name     // of the trees that are to be walked
	partial  []object.Checksum // commits that are whole once these are walked
	detached int

	metadata, content, lossy atomic.Int64
	written                  atomic.Uint64
}

func (p *puller) result() Result {
	return Result{
		Metadata: int(p.metadata.Load()), Content: int(p.content.Load()), Detached: p.detached,
		Written: p.written.Load(), Lossy: int(p.lossy.Load()),
	}
}

func (p *puller) run() error {
	for _, commit := range p.wanted.order {
		if err := p.history(commit, p.Depth); err != nil {
			return err
		}
	}
	if err := p.walk(); err != nil {
		return err
	}
	if err := p.setRefs(); err != nil {
		return err
	}
	if err := p.t.Commit(p.ctx); err != nil {
		return err
	}
	for _, commit := range p.partial {
		if err := p.t.SetPartial(commit, false); err != nil {
			return err
		}
	}
	return nil
}

// setRefs moves the refs that lead elsewhere.
func (p *puller) setRefs() error {
	for _, commit := range p.wanted.order {
		for _, ref := range p.wanted.refs[commit] {
			name := refs.Name{Remote: p.Remote, Ref: ref}
			if err := name.Check(); err != nil {
				return err
			}
			file := name.Path()
			if old, err := p.t.Repo().RefEntry(path.Dir(file), path.Base(file)); err != nil || old.Commit != commit {
				p.t.SetRef(name, commit)
			}
		}
	}
	return nil
}

// take takes one object over, and counts it.
func (p *puller) take(name object.Name) (transaction.Imported, error) {
	done, err := p.t.Import(p.src, name, p.ImportOptions)
	p.Progress.Scanned.Add(1)
	if err != nil {
		return done, err
	}
	if done.Damage != nil {
		p.Warn(done.Damage)
	}
	if done.Lossy {
		p.lossy.Add(1)
	}
	p.written.Add(done.Written)
	switch {
	case done.Held:
	case name.Kind == object.KindFile:
		p.content.Add(1)
	default:
		p.metadata.Add(1)
	}
	return done, nil
}

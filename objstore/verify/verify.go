package verify

import (
	"context"
	"errors"
	"io/fs"
	"sync"
	"sync/atomic"

	"deployfs/objstore"
	"deployfs/objstore/object"
	"deployfs/objstore/tree"
)

const (
	// readSize is how much content is read at once, in bytes: much, so that the
	// kernel reads ahead while it is hashed.
	readSize = 512 << 10
	// queued is how many files may wait to be checked.
	queued = 256
)

// Source holds objects. Its methods are called at the same time.
type Source interface {
	Commit(sum object.Checksum) (object.Commit, error)
	Metadata(name object.Name) ([]byte, error)
	DirTree(sum object.Checksum) (object.DirTree, error)
	Contents
}

// Problem is an object that is not as it should be.
type Problem struct {
	Kind   Kind
	Path   string // of an entry that needs it, from the commit's root
	Object object.Name
	Err    error
}

// Reason says what is wrong in words that do not name the object again.
func (p *Problem) Reason() string {
	var corrupt *object.CorruptError
	var unreadable *objstore.ReadError
	switch {
	case p.Kind == Absent:
		return "the repository does not hold it"
	case errors.As(p.Err, &corrupt) && corrupt.Err == nil:
		return "its checksum is " + corrupt.Found.String()
	case errors.As(p.Err, &corrupt):
		return corrupt.Err.Error()
	case errors.As(p.Err, &unreadable):
		return unreadable.Err.Error()
	}
	return p.Err.Error()
}

// Kind is what is wrong with an object.
type Kind string

// The kinds of problems.
const (
	Damaged    Kind = "damaged"    // it is not what its name says
	Absent     Kind = "absent"     // the repository does not hold it
	Unreadable Kind = "unreadable" // it is there; more is not known
)

// Count is how far a check has come. It may be read at any time.
type Count struct {
	Objects atomic.Int64 // that were checked, good or not
	Bytes   atomic.Int64 // of metadata and content that were hashed
	Bad     atomic.Int64 // problems
}

// Check checks what stands at path in a commit, and all below it, with the
// commit itself. It calls report for each problem, never twice at once. The
// error is a [*tree.Error] when path leads nowhere, or that of ctx, which ends
// the check.
func Check(ctx context.Context, src Source, commit object.Checksum, path string, count *Count, report func(Problem)) error {
	c := &checker{src: src, count: count, report: report}
	at := entry{"/", object.Name{Checksum: commit, Kind: object.KindCommit}}
	found, err := src.Commit(commit)
	c.done(at, 0, err)
	if err != nil {
		return nil
	}
	top, err := tree.Lookup(src, tree.Root(found), path)
	if name, ok := objectOf(err); ok {
		c.done(entry{path, name}, 0, err) // a directory on the way
		return nil
	}
	if err != nil {
		return err
	}
	return c.run(ctx, top)
}

// objectOf is the object that an error is about.
func objectOf(err error) (object.Name, bool) {
	var corrupt *object.CorruptError
	var absent *object.NotExistError
	var unreadable *objstore.ReadError
	switch {
	case errors.As(err, &corrupt):
		return corrupt.Object, true
	case errors.As(err, &absent):
		return absent.Object, true
	case errors.As(err, &unreadable):
		return unreadable.Object, true
	}
	return object.Name{}, false
}

// entry is an object and who needs it.
type entry struct {
	path string
	name object.Name
}

// checker is one check.
type checker struct {
	src    Source
	count  *Count
	mu     sync.Mutex
	report func(Problem)
}

// run checks top and all below it.
func (c *checker) run(ctx context.Context, top tree.Entry) error {
	files := make(chan entry, queued)
	var walker sync.WaitGroup
	walker.Go(func() {
		defer close(files)
		if top.IsDir() {
			newWalk(ctx, c, files).run(top)
		} else {
			files <- entry{top.Path, object.Name{Checksum: top.Content, Kind: object.KindFile}}
		}
	})
	All(ctx, c.src, c.count, func() (object.Checksum, func(error), bool) {
		e, ok := <-files
		return e.name.Checksum, func(err error) { c.done(e, 0, err) }, ok
	})
	walker.Wait()
	return ctx.Err()
}

// done counts an object that was checked, whose metadata has size bytes, and
// reports it if it is bad.
func (c *checker) done(e entry, size int, err error) {
	c.count.Objects.Add(1)
	c.count.Bytes.Add(int64(size))
	if err == nil {
		return
	}
	c.count.Bad.Add(1)
	p := Problem{Kind: Unreadable, Path: e.path, Object: e.name, Err: err}
	var corrupt *object.CorruptError
	if errors.As(err, &corrupt) {
		p.Kind = Damaged
	} else if errors.Is(err, fs.ErrNotExist) {
		p.Kind = Absent
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.report(p)
}

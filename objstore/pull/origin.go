package pull

import (
	"context"

	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
	"deployfs/objstore/refs"
	"deployfs/objstore/transaction"
)

// origin is where a pull takes things from: another repository of this machine, or one
// that is far. What is absent is an [fs.ErrNotExist].
type origin interface {
	near() bool               // a repository of this machine, as a directory
	crew() int                // so many objects are taken over at once
	names() ([]string, error) // of all refs, where they can be listed

	// needsSummary reports whether the summary is needed even when all commits are known.
	needsSummary(ctx context.Context) (bool, error)
	// summary reads the summary and its signature, and has verify look at them, which may
	// be nil.
	summary(ctx context.Context, verify func(summary, signature []byte) error) (listed, error)
	// accept fails unless objects can be had from a repository with such a summary, or none.
	accept(ctx context.Context, list listed) error
	// resolve finds the commit of a ref where there is no summary.
	resolve(ctx context.Context, name refs.Name) (object.Checksum, error)

	begin() // it is known what is to be taken over

	// commit takes a commit over, with its detached metadata, when check agrees. One that is
	// held gets the latter anew.
	commit(ctx context.Context, t *transaction.Transaction, name object.Name, held bool, check check) (brought, error)
	// tombstone takes over that a commit was deleted, if that is so.
	tombstone(ctx context.Context, t *transaction.Transaction, sum object.Checksum) error
	// take takes over a dirtree, a dirmeta or content.
	take(ctx context.Context, t *transaction.Transaction, name object.Name) (taken, error)
}

// check says whether a commit may be written: its bytes, and its detached metadata or the
// zero Value.
type check func(data []byte, detached gvariant.Value) error

// brought is a commit that was taken over.
type brought struct {
	taken
	detached int    // bytes of its detached metadata; 0 for none
	delta    *offer // that brings its tree; nil for none
}

// taken is an object that was taken over.
type taken struct {
	transaction.Imported
	local bool   // from a repository of this machine, although the origin is none
	free  func() // to be called when its bytes are no longer held; nil is nothing
}

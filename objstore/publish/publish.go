// Package publish makes what a repository tells those who pull from it: its
// summary, and, where it has a collection id, a commit with the same metadata,
// which reaches those who get their refs by other ways than the summary.
//
// Source: ostree, src/libostree/ostree-repo.c, regenerate_metadata.
package publish

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"time"

	"deployfs/objstore"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
	"deployfs/objstore/refs"
	"deployfs/objstore/sign"
	"deployfs/objstore/summary"
	"deployfs/objstore/transaction"
)

// metadataRef is the ref of commits that hold a repository's metadata.
const metadataRef = "ostree-metadata"

// Options say what is told beyond what is in the repository.
type Options struct {
	Metadata []gvariant.Value // entries {sv}; of several with one key the last counts
	Signers  []sign.Signer    // of the commit and of the summary
}

// Run makes the summary anew, and the commit before it.
func Run(ctx context.Context, repo *objstore.Repo, o Options) error {
	if id := repo.Collection(); id != "" {
		if err := o.commit(ctx, repo, id); err != nil {
			return err
		}
	}
	if len(o.Signers) == 0 {
		return summary.Update(ctx, repo, o.Metadata)
	}
	return summary.UpdateSigned(ctx, repo, o.Metadata, func(data []byte) (gvariant.Value, error) {
		return sign.Add(ctx, gvariant.Value{}, data, o.Signers...)
	})
}

// commit writes a commit without files, whose metadata is what is told.
func (o Options) commit(ctx context.Context, repo *objstore.Repo, collection string) (err error) {
	if slices.ContainsFunc(o.Metadata, func(entry gvariant.Value) bool { return entry.At(0).Str() == "" }) {
		return errors.New("Empty metadata key")
	}
	at, err := timestamp()
	if err != nil {
		return err
	}
	parent, _, err := repo.ResolveLocal(metadataRef)
	if err != nil {
		return err
	}
	t, err := transaction.Begin(ctx, repo)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	root := object.DirMeta{Mode: object.ModeDir | 0o755}
	c := object.Commit{Metadata: o.bound(collection), Parent: parent, Timestamp: at}
	if c.RootMeta, err = t.WriteMetadata(object.KindDirMeta, root.Encode()); err != nil {
		return err
	}
	if c.Root, err = t.WriteMetadata(object.KindDirTree, object.EncodeDirTree(nil, nil)); err != nil {
		return err
	}
	data := c.Encode()
	sum, err := t.WriteMetadata(object.KindCommit, data)
	if err != nil {
		return err
	}
	if len(o.Signers) > 0 {
		detached, err := sign.Add(ctx, gvariant.Value{}, data, o.Signers...)
		if err != nil {
			return err
		}
		if err := t.WriteDetached(sum, detached); err != nil {
			return err
		}
	}
	t.SetRef(refs.Name{Ref: metadataRef}, sum)
	return t.Commit(ctx)
}

// bound is the metadata of the commit, an a{sv}: it tells, too, to which ref of
// which collection the commit belongs.
func (o Options) bound(collection string) gvariant.Value {
	bindings := []gvariant.Value{
		newEntry("ostree.collection-binding", gvariant.NewString(collection)),
		newEntry("ostree.ref-binding", gvariant.NewArray("s", gvariant.NewString(metadataRef))),
	}
	return gvariant.NewArray("{sv}", summary.Merge(bindings, o.Metadata, bindings)...)
}

func newEntry(key string, v gvariant.Value) gvariant.Value {
	return gvariant.NewEntry(gvariant.NewString(key), gvariant.NewVariant(v))
}

// timestamp is now, or what the environment says, in seconds since 1970.
func timestamp() (uint64, error) {
	text, ok := os.LookupEnv("SOURCE_DATE_EPOCH")
	if !ok {
		return uint64(time.Now().Unix()), nil
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("Failed to convert SOURCE_DATE_EPOCH: %w", err)
	}
	return uint64(seconds), nil
}

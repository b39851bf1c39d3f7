package summary

import (
	"context"
	"errors"
	"fmt"
	"time"

	"deployfs/objstore"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
)

// Signer makes the a{sv} that summary.sig holds for a summary's bytes.
type Signer func(summary []byte) (gvariant.Value, error)

// Update makes a repository's summary anew, without a signature, and the indexes
// of its static deltas. Extra are entries {sv} of its metadata; what the
// repository itself says counts more.
func Update(ctx context.Context, repo *objstore.Repo, extra []gvariant.Value) error {
	return UpdateSigned(ctx, repo, extra, nil)
}

// Auto makes the summary anew if the repository's config says that it is to be
// after every change of a ref.
func Auto(ctx context.Context, repo *objstore.Repo) error {
	for _, key := range []string{"auto-update-summary", "commit-update-summary"} {
		auto, err := repo.Config().Bool("core", key, false)
		if err != nil {
			return err
		}
		if auto {
			return Update(ctx, repo, nil)
		}
	}
	return nil
}

// UpdateSigned is Update with a signature, unless sign is nil.
func UpdateSigned(ctx context.Context, repo *objstore.Repo, extra []gvariant.Value, sign Signer) (err error) {
	lock, err := repo.LockShared(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	deltas, err := listDeltas(ctx, repo)
	if err != nil {
		return err
	}
	data, err := generate(ctx, repo, deltas, extra)
	if err != nil {
		return err
	}
	if err := reindex(repo, deltas); err != nil {
		return err
	}
	var signature []byte
	if sign != nil {
		v, err := sign(data)
		if err != nil {
			return err
		}
		signature = v.Bytes()
	}
	return publish(repo, data, signature)
}

// generate is the summary of what is in the repository.
func generate(ctx context.Context, repo *objstore.Repo, deltas []delta, extra []gvariant.Value) ([]byte, error) {
	own, collections, err := collect(ctx, repo)
	if err != nil {
		return nil, err
	}
	config := repo.Config()
	withoutDeltas, err := config.Bool("core", "no-deltas-in-summary", false)
	if err != nil {
		return nil, err
	}
	tombstones, err := config.Bool("core", "tombstone-commits", false)
	if err != nil {
		return nil, err
	}
	mode, ok := config.Get("core", "mode")
	if !ok {
		mode = objstore.Bare.String()
	}
	about := []gvariant.Value{
		newEntry(keyMode, gvariant.NewString(mode)),
		newEntry(keyLastModified, newSwapped(uint64(time.Now().Unix()))),
		newEntry(keyTombstones, gvariant.NewBool(tombstones)),
	}
	if len(deltas) > 0 && !withoutDeltas {
		about = append(about, newEntry(keyDeltas, encodeDeltas(deltas)))
	}
	if len(collections) > 0 {
		about = append(about, newEntry(keyCollections, gvariant.NewArray("{s"+refsType+"}", collections...)))
	}
	about = append(about, newEntry(keyIndexedDeltas, gvariant.NewBool(true)))
	if id := repo.Collection(); id != "" {
		about = append(about, newEntry(keyCollection, gvariant.NewString(id)))
	}
	data := encode(own, Merge(about, extra, about)).Bytes()
	if _, err := Parse(data); err != nil {
		return nil, fmt.Errorf("making a summary: %w", err)
	}
	return data, nil
}

// collect lists the refs of the repository's own collection, or its local ones
// when it has none; and those of other collections, each an {sa(s(taya{sv}))}.
func collect(ctx context.Context, repo *objstore.Repo) (own []Ref, others []gvariant.Value, err error) {
	c := collector{ctx: ctx, repo: repo}
	id := repo.Collection()
	if id == "" {
		all, err := repo.Refs()
		if err != nil {
			return nil, nil, err
		}
		for _, ref := range all {
			if ref.Remote == "" {
				c.add(&own, ref)
			}
		}
	}
	collected, err := repo.CollectedRefs("")
	for len(collected) > 0 && err == nil {
		var list []Ref
		collection := collected[0].Collection
		for len(collected) > 0 && collected[0].Collection == collection {
			c.add(&list, collected[0])
			collected = collected[1:]
		}
		if collection == id {
			own = list
			continue
		}
		others = append(others, gvariant.NewEntry(gvariant.NewString(collection), encodeRefs(list)))
	}
	return own, others, errors.Join(err, c.err)
}

// collector adds refs to lists until it fails.
type collector struct {
	ctx  context.Context
	repo *objstore.Repo
	err  error
}

func (c *collector) add(list *[]Ref, ref objstore.Ref) {
	if c.err == nil {
		c.err = c.ctx.Err()
	}
	if c.err != nil {
		return
	}
	entry, err := c.entry(ref)
	*list, c.err = append(*list, entry), err
}

// entry tells of a ref's commit what that says, without a look at its checksum, as
// ostree does: a damaged one must not keep others from being published.
func (c *collector) entry(ref objstore.Ref) (Ref, error) {
	sum, err := object.ParseChecksum(ref.Checksum)
	if err != nil {
		return Ref{}, fmt.Errorf("Invalid rev %s", ref.Checksum)
	}
	name := object.Name{Checksum: sum, Kind: object.KindCommit}
	data, err := c.repo.ReadMetadata(name, objstore.MaxMetadata)
	if err != nil {
		return Ref{}, err
	}
	commit, err := object.DecodeCommit(data)
	if err != nil {
		return Ref{}, object.Corrupt(name, err)
	}
	return newRef(ref.Ref, sum, len(data), commit), nil
}

package compose

import (
	"context"
	"errors"
	"time"

	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
	"deployfs/objstore/refs"
	"deployfs/objstore/transaction"
)

// Commit makes the commit. When it fails nothing has changed that can be seen, but for
// the error of deleting what was consumed.
func (p *Plan) Commit(ctx context.Context) (result Result, err error) {
	tx, err := transaction.Begin(ctx, p.repo)
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, tx.Close()) }()
	if p.Sizes {
		tx.RecordSizes()
	}
	b, err := p.build(ctx, tx)
	if err != nil {
		return result, err
	}
	tip := object.Commit{Subject: p.Subject, Body: p.Body, RootMeta: b.root.Meta()}
	if tip.Root, err = b.root.Write(tx); err != nil {
		return result, err
	}
	if _, err := p.parentMoved(); err != nil {
		return result, err
	}
	result.Known = int(b.known.Load())
	if result.Skipped, err = p.unchanged(tip); err != nil {
		return result, err
	}
	if result.Skipped {
		result.Commit = p.parent
	} else if result.Commit, err = b.finish(ctx, tip); err != nil {
		return result, err
	}
	result.Stats = tx.Stats()
	result.Stats.Metadata += b.repeated
	result.Stats.Content += b.merged
	return result, b.consume()
}

// unchanged reports whether there is nothing to commit.
func (p *Plan) unchanged(tip object.Commit) (bool, error) {
	if !p.SkipUnchanged || p.parent.IsZero() {
		return false, nil
	}
	parent, err := p.repo.Commit(p.parent)
	return err == nil && parent.Root == tip.Root && parent.RootMeta == tip.RootMeta, err
}

// finish writes the commit object and what stands beside it, and ends the transaction.
func (b *builder) finish(ctx context.Context, tip object.Commit) (sum object.Checksum, err error) {
	tip.Timestamp = uint64(b.now().Unix())
	data, err := b.encode(&tip)
	if err != nil {
		return sum, err
	}
	b.tx.Last(b.adopt)
	if sum, err = b.tx.WriteMetadata(object.KindCommit, data); err != nil {
		return sum, err
	}
	detached, err := b.detach(data)
	if err != nil {
		return sum, err
	}
	if len(detached) > 0 {
		if err := b.tx.WriteDetached(sum, gvariant.NewArray("{sv}", detached...)); err != nil {
			return sum, err
		}
	}
	if b.Branch != "" {
		b.tx.DecideRef(refs.Name{Remote: b.ref.Remote, Ref: b.ref.Ref}, func() (object.Checksum, error) {
			err := b.follow(&sum, tip)
			return sum, err
		})
	}
	err = b.tx.Commit(ctx)
	return sum, err
}

// encode is the commit object that follows the parent.
func (b *builder) encode(tip *object.Commit) (data []byte, err error) {
	tip.Parent = b.parent
	if tip.Metadata, err = b.describe(b.tx, b.root); err != nil {
		return nil, err
	}
	return tip.Encode(), nil
}

// follow writes the commit again, and sets sum, when the branch leads elsewhere than
// to the parent by now.
func (b *builder) follow(sum *object.Checksum, tip object.Commit) error {
	if moved, err := b.parentMoved(); err != nil || !moved || b.parent == *sum {
		return err
	}
	data, err := b.encode(&tip)
	if err != nil {
		return err
	}
	detached, err := b.detach(data)
	if err == nil {
		*sum, err = b.tx.WriteLateCommit(data, detached)
	}
	return err
}

// parentMoved finds the parent again, and reports whether it is another one.
func (p *Plan) parentMoved() (bool, error) {
	was := p.parent
	if err := p.findParent(); err != nil || p.parent == was {
		return false, err
	}
	return true, p.keepMetadata()
}

func (p *Plan) now() time.Time {
	if p.Time != nil {
		return *p.Time
	}
	return time.Now()
}

// detach is the commit's detached metadata: what was given, then its signatures.
func (p *Plan) detach(commit []byte) ([]gvariant.Value, error) {
	entries := make([]gvariant.Value, len(p.Detached))
	for i, pair := range p.Detached {
		entries[i] = pair.entry()
	}
	if p.Sign == nil {
		return entries, nil
	}
	signatures, err := p.Sign(commit)
	if err != nil {
		return nil, err
	}
	return append(entries, signatures...), nil
}

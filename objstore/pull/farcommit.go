package pull

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"deployfs/objstore"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
	"deployfs/objstore/transaction"
)

// commit takes a commit over: from a static delta, a cache, or by itself.
func (f *far) commit(ctx context.Context, t *transaction.Transaction, name object.Name, held bool, check check) (done brought, err error) {
	done.Held = held
	whole := held && !f.dest.IsPartial(name.Checksum)
	if !whole {
		if done.delta, err = f.delta(ctx, name.Checksum); err != nil {
			return done, err
		}
	}
	if f.DryRun {
		done.Data, err = f.read(ctx, name, &done)
		return done, err
	}
	if done.delta == nil && !held {
		if done.taken, err = f.commitFromCache(ctx, t, name, check); done.local || err != nil {
			return done, err
		}
	}
	detached, err := f.detached(ctx, name.Checksum)
	if err == nil {
		done.Data, err = f.read(ctx, name, &done)
	}
	if err == nil {
		done.detached = len(detached.Bytes())
		err = f.keep(t, name, &done, detached, check)
	}
	return done, err
}

// keep writes a commit that has come, when check agrees.
func (f *far) keep(t *transaction.Transaction, name object.Name, done *brought, detached gvariant.Value, check check) (err error) {
	if detached.Type() == "" && done.delta != nil {
		detached = done.delta.Detached
	}
	fresh := detached.Type() != ""
	if !fresh {
		if detached, _, err = f.dest.CommitMeta(name.Checksum); err != nil {
			return err
		}
	}
	if err = check(done.Data, detached); err == nil && !done.Held {
		err = t.SetPartial(name.Checksum, true)
	}
	if err == nil && fresh {
		err = t.ReplaceDetached(name.Checksum, detached)
	}
	if err == nil && !done.Held {
		err = t.ReceiveMetadata(name, done.Data)
	}
	return err
}

// detached fetches a commit's detached metadata; the zero Value is that there is none. What is
// damaged is none, too, as in ostree: no signature can be found in it.
func (f *far) detached(ctx context.Context, sum object.Checksum) (v gvariant.Value, err error) {
	name := object.Name{Checksum: sum, Kind: object.KindCommitMeta}
	f.asked.Add(1)
	data, err := f.client.Get(ctx, objectFile(name), objstore.MaxMetadata)
	if errors.Is(err, fs.ErrNotExist) {
		return v, nil
	}
	if err != nil {
		return v, err
	}
	if v, err = gvariant.Parse("a{sv}", data); err != nil {
		f.Warn(fmt.Errorf("%s: %w; it is left out", name, err))
		return gvariant.Value{}, nil
	}
	return v, nil
}

// read reads a commit's bytes from where they are.
func (f *far) read(ctx context.Context, name object.Name, done *brought) ([]byte, error) {
	switch {
	case done.Held:
		return f.dest.Metadata(name)
	case done.delta != nil:
		return done.delta.Commit, nil
	}
	data, err := f.get(ctx, name, f.sizes[name.Checksum])
	if errors.Is(err, fs.ErrNotExist) {
		f.asked.Add(1)
	}
	return data, err
}

// commitFromCache takes a commit over from the first of the caches that has it.
func (f *far) commitFromCache(ctx context.Context, t *transaction.Transaction, name object.Name, check check) (done taken, err error) {
	for _, cache := range f.Caches {
		there, err := cache.HasObject(name)
		if err != nil {
			return done, err
		}
		if there {
			n := &neighbour{src: cache, options: f.fromCaches()}
			got, err := n.commit(ctx, t, name, false, check)
			got.local = true
			return got.taken, err
		}
	}
	return done, nil
}

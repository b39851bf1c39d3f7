package pull

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"

	"deployfs/objstore"
	"deployfs/objstore/delta"
	"deployfs/objstore/fetch"
	"deployfs/objstore/object"
	"deployfs/objstore/refs"
	"deployfs/objstore/summary"
)

// deltas are the static deltas that a repository says that it has.
type deltas struct {
	digests map[objstore.Delta]object.Checksum   // SHA-256 of their superblocks
	leading map[object.Checksum][]objstore.Delta // to a commit
	listed  bool                                 // the summary lists some
	indexed bool                                 // each commit may have an index of those that lead to it
}

// list adds what a summary says, which may be nil.
func (d *deltas) list(s *summary.Summary) {
	d.digests, d.leading = map[objstore.Delta]object.Checksum{}, map[object.Checksum][]objstore.Delta{}
	if s == nil {
		return
	}
	d.add(s.Deltas())
	d.listed = len(d.digests) > 0
	d.indexed = s.IndexedDeltas()
}

func (d *deltas) add(all func(yield func(objstore.Delta, object.Checksum) bool)) {
	for name, digest := range all {
		if _, known := d.digests[name]; !known {
			d.leading[name.To] = append(d.leading[name.To], name)
		}
		d.digests[name] = digest
	}
}

func (d *deltas) none() bool { return !d.listed && !d.indexed }

// offer is a static delta by which a commit is to be had.
type offer struct {
	*delta.Superblock
	from *far
}

// delta finds the static delta by which a commit that is asked for is had best, as ostree
// does. Nil: it is had object by object, as parents always are.
func (f *far) delta(ctx context.Context, sum object.Checksum) (*offer, error) {
	asking, wanted := f.wanted.refs[sum]
	if f.NoDeltas || !wanted {
		return nil, nil
	}
	current, err := f.current(asking)
	if err != nil {
		return nil, err
	}
	name, ok, err := f.bestDelta(ctx, sum, asking, current)
	if err == nil && !ok && f.offers(objstore.Delta{To: sum}) {
		return nil, nil
	}
	if err != nil || !ok {
		from := ""
		if len(asking) > 0 {
			from = asking[0].Ref
		}
		return nil, f.without(from, sum, err)
	}
	data, err := f.superblock(ctx, name)
	if err != nil || data == nil {
		from := "(null)"
		if !name.From.IsZero() {
			from = name.From.String()
		}
		return nil, f.without(from, sum, err)
	}
	return f.offer(name, data)
}

// offer reads what a delta says of itself. One that is not signed as it must be is not used.
func (f *far) offer(name objstore.Delta, data []byte) (*offer, error) {
	required, err := f.dest.Config().Bool("core", "sign-verify-deltas", false)
	if err != nil {
		return nil, err
	}
	if err := f.judgeDelta(data, required); err != nil {
		err = fmt.Errorf("static delta %s: %w", name, err)
		if f.NeedDeltas {
			return nil, err
		}
		f.Warn(fmt.Errorf("%w; it is not used", err))
		return nil, nil
	}
	parsed, err := delta.Parse(data)
	if err == nil && parsed.Delta() != name {
		err = fmt.Errorf("it says that it is %s", parsed.Delta())
	}
	if err != nil {
		return nil, fmt.Errorf("static delta %s: %w", name, err)
	}
	return &offer{parsed, f}, nil
}

// judgeDelta asks who has signed a delta. For ostree, which reads none that is signed, all that
// come over the network count as unsigned, and these are always taken.
func (f *far) judgeDelta(data []byte, required bool) error {
	superblock, signatures, signed := delta.Signed(data)
	switch {
	case required && !signed:
		return errors.New("no signatures in static-delta")
	case required && f.VerifyDelta == nil:
		return errors.New("Key is mandatory to check delta signature")
	case !signed || f.VerifyDelta == nil:
		return nil
	}
	return f.VerifyDelta(superblock, signatures)
}

// without fails where a commit can't be had without a static delta.
func (f *far) without(from string, to object.Checksum, err error) error {
	if err != nil || !f.NeedDeltas {
		return err
	}
	return fmt.Errorf("Static deltas required, but none found for %s to %s", from, to)
}

// current is the commit that the first of some refs leads to here, or zero.
func (f *far) current(asking []refs.Name) (object.Checksum, error) {
	if len(asking) == 0 {
		return object.Checksum{}, nil
	}
	sum, err := f.dest.Resolve(refs.Spec{Remote: f.Remote, Ref: asking[0].Ref}.String())
	if isAbsent(err) {
		err = nil
	}
	return sum, err
}

// bestDelta chooses a delta by name.
func (f *far) bestDelta(ctx context.Context, to object.Checksum, asking []refs.Name, current object.Checksum) (d objstore.Delta, ok bool, err error) {
	d.To = to
	if f.offered.indexed {
		if err := f.fetchIndex(ctx, to); err != nil {
			return d, false, err
		}
	}
	switch {
	case f.offered.indexed || f.offered.listed:
		return f.newestDelta(to, current)
	case len(asking) == 0 || current.IsZero():
		return d, true, nil
	case f.dest.IsPartial(current):
		return d, true, nil
	}
	d.From = current
	return d, current != to, nil
}

// offers reports whether a delta is listed. The one from nothing satisfies who requires deltas
// even where it is not used, as with ostree.
func (f *far) offers(d objstore.Delta) bool {
	_, ok := f.offered.digests[d]
	return ok
}

// newestDelta chooses, among the deltas that are offered, the one from the newest commit
// that is here as a whole. The one from nothing is larger than what is missing where an
// older commit is here.
func (f *far) newestDelta(to, current object.Checksum) (best objstore.Delta, ok bool, err error) {
	newest := uint64(0)
	for _, d := range f.offered.leading[to] {
		if d.From.IsZero() {
			continue
		}
		held, err := f.dest.HasObject(object.Name{Checksum: d.From, Kind: object.KindCommit})
		if err != nil {
			return best, false, err
		}
		if !held || f.dest.IsPartial(d.From) {
			continue
		}
		c, err := f.dest.Commit(d.From)
		if err != nil {
			return best, false, err
		}
		if !ok || c.Timestamp > newest {
			best, newest, ok = d, c.Timestamp, true
		}
	}
	if !ok && current.IsZero() {
		best = objstore.Delta{To: to}
		ok = f.offers(best)
	}
	return best, ok, nil
}

// fetchIndex fetches the list of the deltas that lead to a commit. There may be none.
func (f *far) fetchIndex(ctx context.Context, to object.Checksum) error {
	f.asked.Add(1)
	data, err := f.client.Get(ctx, fetch.File{Path: objstore.Delta{To: to}.IndexPath(), Content: true}, summary.MaxSize)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	all, err := summary.ParseIndex(data)
	if err == nil {
		f.offered.add(all)
	}
	return err
}

// superblock fetches what a delta says of itself; nil is that there is no such delta.
func (f *far) superblock(ctx context.Context, d objstore.Delta) ([]byte, error) {
	f.asked.Add(1)
	data, err := f.client.Get(ctx, fetch.File{Path: d.Path() + "/superblock", Content: true}, objstore.MaxMetadata)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	switch digest, ok := f.offered.digests[d]; {
	case !ok && f.VerifySummary != nil:
		return nil, errors.New("GPG verification enabled, but no summary signatures found (use gpg-verify-summary=false in remote config to disable)")
	case ok && digest != sha256.Sum256(data):
		return nil, fmt.Errorf("Invalid checksum for static delta %s", d)
	}
	return data, nil
}

package pull

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync/atomic"
	"unicode"

	"deployfs/objstore"
	"deployfs/objstore/fetch"
	"deployfs/objstore/object"
	"deployfs/objstore/refs"
	"deployfs/objstore/transaction"
)

// far is a repository of which each file is fetched.
type far struct {
	*session
	*RemoteOptions
	wanted *wanted

	config  *objstore.KeyFile // the other repository's, when it was fetched
	sizes   map[object.Checksum]uint64
	offered deltas
	turn    turn         // of those who hold a large object
	settled int64        // bytes that had come when it was known what is to be pulled
	asked   atomic.Int64 // requests that count as metadata, whatever came of them
}

// requests is how many requests are made at once: what one waits for is the way to the server
// and back, which is mostly longer than the object itself takes. With 20 ms of way, 64 take a
// quarter of ostree's time; without, the number does not matter.
const requests = 64

func (f *far) near() bool { return false }

func (f *far) crew() int { return f.Requests }

func (f *far) names() ([]string, error) {
	return nil, fmt.Errorf("No configured branches for remote %s", f.name)
}

// needsSummary: static deltas may be listed nowhere else.
func (f *far) needsSummary(ctx context.Context) (bool, error) {
	if f.NoDeltas {
		return false, nil
	}
	config, err := f.fetchConfig(ctx)
	if err == nil {
		f.offered.indexed, err = config.Bool("core", "indexed-deltas", false)
	}
	return !f.offered.indexed, err
}

func (f *far) summary(ctx context.Context, verify func(summary, signature []byte) error) (listed, error) {
	return f.fetchSummary(ctx, verify)
}

// accept fails unless the other repository is an archive, and has static deltas where these
// are needed. Without a summary nobody asks for its mode, as with ostree.
func (f *far) accept(ctx context.Context, list listed) error {
	f.sizes = list.sizes
	f.offered.list(list.parsed)
	if f.NeedDeltas && f.offered.none() {
		return errors.New("Fetch configured to require static deltas, but no summary deltas or delta index found")
	}
	if list.parsed != nil && list.parsed.Mode() != "" {
		if err := f.checkMode(ctx); err != nil {
			return err
		}
	}
	return nil
}

// begin: what has come before was about what is to be pulled.
func (f *far) begin() { f.settled = f.client.Transferred() }

func (f *far) checkMode(ctx context.Context) error {
	config, err := f.fetchConfig(ctx)
	if err != nil {
		return err
	}
	name, ok := config.Get("core", "mode")
	if !ok {
		name = objstore.Bare.String()
	}
	mode, err := objstore.ParseMode(name)
	if err == nil && mode != objstore.Archive {
		err = fmt.Errorf("Can't pull from archives with mode \"%s\"", name)
	}
	return err
}

const maxSmall = 1 << 20 // bytes of a config or a ref

// fetchConfig fetches the other repository's config, once.
func (f *far) fetchConfig(ctx context.Context) (*objstore.KeyFile, error) {
	if f.config != nil {
		return f.config, nil
	}
	data, err := f.client.Get(ctx, fetch.File{Path: "config"}, maxSmall)
	if err != nil {
		return nil, err
	}
	if f.config, err = objstore.ParseKeyFile(data); err != nil {
		return nil, fmt.Errorf("Parsing config: %w", err)
	}
	return f.config, nil
}

func (f *far) resolve(ctx context.Context, name refs.Name) (object.Checksum, error) {
	data, err := f.client.Get(ctx, fetch.File{Path: "refs/" + name.Path()}, maxSmall)
	if err != nil {
		return object.Checksum{}, err
	}
	text := strings.TrimRight(string(data), " \t\n\v\f\r")
	sum, err := object.ParseChecksum(text)
	if err != nil {
		collection := name.Collection
		if collection == "" {
			collection = "(empty)"
		}
		err = fmt.Errorf("Fetching checksum for ref (%s, %s): Invalid rev %s", collection, name.Ref, printable(text))
	}
	return sum, err
}

// printable is the begin of a text that a server sent in the place of a checksum.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text[:min(len(text), 64)])
}

// objectFile is where an archive repository has an object.
func objectFile(name object.Name) fetch.File {
	digits := name.Checksum.String()
	path := "objects/" + digits[:2] + "/" + digits[2:] + "." + name.Kind.String()
	if name.Kind == object.KindFile {
		path += "z"
	}
	return fetch.File{Path: path, Content: name.Kind != object.KindCommitMeta}
}

// maxCommit is the largest commit that is taken when no summary tells its size, in bytes.
const maxCommit = 10 << 20

// get fetches a metadata object, which is checked against its name. Where it is large, others
// wait until it is freed: free is nil otherwise, not after every error.
func (f *far) get(ctx context.Context, name object.Name, limit uint64) (data []byte, free func(), err error) {
	if limit == 0 && name.Kind == object.KindCommit {
		limit = maxCommit
	}
	if limit == 0 || limit > objstore.MaxMetadata {
		limit = objstore.MaxMetadata
	}
	if data, free, err = f.getLarge(ctx, objectFile(name), int64(limit)); err == nil {
		f.came()
		err = transaction.CheckMetadata(name, data)
	}
	return data, free, err
}

// came says that an object has come.
func (f *far) came() {
	f.Progress.Fetched.Add(1)
	f.Progress.Bytes.Store(f.client.Transferred())
}

func (f *far) take(ctx context.Context, t *transaction.Transaction, name object.Name) (done taken, err error) {
	done.Held, err = t.Holds(name)
	switch {
	case err != nil:
	case done.Held && name.Kind == object.KindDirTree:
		if done.Data, done.free, err = f.reread(ctx, t, name); err == nil {
			err = transaction.CheckMetadata(name, done.Data)
		}
	case done.Held:
	default:
		if done, err = f.fromCache(t, name); err == nil && !done.local {
			done, err = f.receive(ctx, t, name)
		}
	}
	return done, err
}

// receive fetches an object.
func (f *far) receive(ctx context.Context, t *transaction.Transaction, name object.Name) (done taken, err error) {
	if name.Kind != object.KindFile {
		if done.Data, done.free, err = f.get(ctx, name, 0); err == nil {
			err = t.ReceiveMetadata(name, done.Data)
		}
		return done, err
	}
	body, err := f.client.Open(ctx, objectFile(name), 0)
	if err != nil {
		return done, err
	}
	defer body.Close()
	defer f.came()
	done.Imported, err = t.Receive(name.Checksum, body, transaction.ReceiveOptions{
		Modest:    f.Modest,
		Unchecked: f.TrustServer && f.Mirror && !f.Untrusted && !f.Modest,
	})
	return done, err
}

// fromCaches: a cache is trusted as the server is.
func (f *far) fromCaches() transaction.ImportOptions {
	return transaction.ImportOptions{Untrusted: f.Untrusted || !f.TrustServer, Modest: f.Modest, Resume: true}
}

// fromCache takes an object from the first of the caches that has it.
func (f *far) fromCache(t *transaction.Transaction, name object.Name) (done taken, err error) {
	for _, cache := range f.Caches {
		there, err := cache.HasObject(name)
		if err != nil {
			return done, err
		}
		if there {
			done.local = true
			done.Imported, err = t.Import(cache, name, f.fromCaches())
			return done, err
		}
	}
	return done, nil
}

// tombstone fetches the tombstone of a commit, if there is one.
func (f *far) tombstone(ctx context.Context, _ *transaction.Transaction, sum object.Checksum) error {
	f.asked.Add(1)
	_, err := f.client.Get(ctx, objectFile(object.Name{Checksum: sum, Kind: object.KindTombstone}), maxSmall)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

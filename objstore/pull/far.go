package pull

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"strings"

	"deployfs/objstore"
	"deployfs/objstore/fetch"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
	"deployfs/objstore/refs"
	"deployfs/objstore/transaction"
)

// far is a repository that is reached over a network.
type far struct {
	*session
	*RemoteOptions
	remote *objstore.KeyFile // its config, when it was fetched
	sizes  map[object.Checksum]uint64
}

// requests is how many objects are asked for at once: what one waits for is the way to the
// server and back, which is mostly longer than the object itself takes.
const requests = 64

func (f *far) near() bool { return false }

func (f *far) crew() int { return requests }

func (f *far) names() ([]string, error) {
	return nil, fmt.Errorf("No configured branches for remote %s", f.name)
}

func (f *far) needsSummary(ctx context.Context) (bool, error) { return false, nil }

func (f *far) summary(ctx context.Context, verify func(summary, signature []byte) error) (listed, error) {
	return f.fetchSummary(ctx, verify)
}

// accept fails unless the other repository is an archive. Without a summary nobody asks, as
// with ostree.
func (f *far) accept(ctx context.Context, list listed) error {
	f.sizes = list.sizes
	defer func() { f.settled = f.client.Transferred() }()
	if list.parsed == nil || list.parsed.Mode() == "" {
		return nil
	}
	config, err := f.fetchConfig(ctx)
	if err != nil {
		return err
	}
	mode, ok := config.Get("core", "mode")
	if !ok {
		mode = objstore.Bare.String()
	}
	if parsed, err := objstore.ParseMode(mode); err != nil {
		return err
	} else if parsed != objstore.Archive {
		return fmt.Errorf("Can't pull from archives with mode \"%s\"", mode)
	}
	return nil
}

const maxSmall = 1 << 20 // bytes of a config or a ref

// fetchConfig fetches the other repository's config, once.
func (f *far) fetchConfig(ctx context.Context) (*objstore.KeyFile, error) {
	if f.remote != nil {
		return f.remote, nil
	}
	data, err := f.client.Get(ctx, fetch.File{Path: "config"}, maxSmall)
	if err != nil {
		return nil, err
	}
	if f.remote, err = objstore.ParseKeyFile(data); err != nil {
		return nil, fmt.Errorf("Parsing config: %w", err)
	}
	return f.remote, nil
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
		err = fmt.Errorf("Fetching checksum for ref (%s, %s): Invalid rev %.100s", collection, name.Ref, text)
	}
	return sum, err
}

// objectPath is where an archive repository has an object.
func objectPath(name object.Name) string {
	digits := name.Checksum.String()
	path := "objects/" + digits[:2] + "/" + digits[2:] + "." + name.Kind.String()
	if name.Kind == object.KindFile {
		path += "z"
	}
	return path
}

// get fetches a metadata object, which is checked against its name.
func (f *far) get(ctx context.Context, name object.Name, limit uint64) ([]byte, error) {
	if limit == 0 || limit > objstore.MaxMetadata {
		limit = objstore.MaxMetadata
	}
	data, err := f.client.Get(ctx, fetch.File{Path: objectPath(name), Content: true}, int64(limit))
	if err != nil {
		return nil, err
	}
	f.Progress.Fetched.Add(1)
	return data, transaction.CheckMetadata(name, data)
}

// detached fetches a commit's detached metadata, and tells its size; 0 is that there is none.
func (f *far) detached(ctx context.Context, sum object.Checksum) (v gvariant.Value, size int, err error) {
	name := object.Name{Checksum: sum, Kind: object.KindCommitMeta}
	data, err := f.client.Get(ctx, fetch.File{Path: objectPath(name)}, objstore.MaxMetadata)
	if errors.Is(err, fs.ErrNotExist) {
		return v, 0, nil
	}
	if err != nil {
		return v, 0, err
	}
	if v, err = gvariant.Parse("a{sv}", data); err != nil {
		err = fmt.Errorf("%s: %w", name, err)
	}
	return v, len(data), err
}

func (f *far) commit(ctx context.Context, t *transaction.Transaction, name object.Name, held bool, check check) (brought, error) {
	detached, size, err := f.detached(ctx, name.Checksum)
	if err != nil {
		return brought{}, err
	}
	data, err := f.read(ctx, t, name, held)
	if err == nil && detached.Type() == "" {
		detached, _, err = t.Repo().CommitMeta(name.Checksum)
	}
	if err == nil {
		err = check(data, detached)
	}
	if err == nil && !held {
		err = t.SetPartial(name.Checksum, true)
	}
	if err == nil && size > 0 {
		err = t.ReplaceDetached(name.Checksum, detached)
	}
	if err == nil && !held {
		err = t.ReceiveMetadata(name, data)
	}
	return brought{taken{Imported: transaction.Imported{Held: held, Data: data}}, size}, err
}

// read reads a commit from where it is.
func (f *far) read(ctx context.Context, t *transaction.Transaction, name object.Name, held bool) ([]byte, error) {
	if held {
		return t.Repo().Metadata(name)
	}
	return f.get(ctx, name, f.sizes[name.Checksum])
}

func (f *far) tombstone(ctx context.Context, t *transaction.Transaction, sum object.Checksum) error {
	return nil
}

func (f *far) take(ctx context.Context, t *transaction.Transaction, name object.Name) (done taken, err error) {
	if done.Held, err = t.Holds(name); err != nil {
		return done, err
	}
	switch {
	case name.Kind == object.KindFile && done.Held:
	case name.Kind == object.KindFile:
		done.Imported, err = f.content(ctx, t, name)
	case done.Held && name.Kind == object.KindDirTree:
		done.Data, err = t.ReadMetadata(name)
	case done.Held:
	default:
		if done.Data, err = f.get(ctx, name, 0); err == nil {
			err = t.ReceiveMetadata(name, done.Data)
		}
	}
	return done, err
}

// content fetches content.
func (f *far) content(ctx context.Context, t *transaction.Transaction, name object.Name) (done transaction.Imported, err error) {
	body, err := f.client.Open(ctx, fetch.File{Path: objectPath(name), Content: true}, math.MaxInt64)
	if err != nil {
		return done, err
	}
	defer body.Close()
	done, err = t.Receive(name.Checksum, body, transaction.ReceiveOptions{
		Modest:    f.Modest,
		Unchecked: f.TrustServer && f.Mirror && !f.Untrusted && !f.Modest,
	})
	f.Progress.Fetched.Add(1)
	return done, err
}

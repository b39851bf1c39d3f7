package pull

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"

	"deployfs/objstore"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
	"deployfs/objstore/refs"
	"deployfs/objstore/summary"
	"deployfs/objstore/transaction"
)

// neighbour is a repository of this machine.
type neighbour struct {
	src      *objstore.Repo
	options  transaction.ImportOptions
	verifies bool // the summary is to be verified, whatever is asked for
}

// perCore is how many objects are taken over at once for each core: some wait for the disk.
const perCore = 2

func (n *neighbour) near() bool { return true }

func (n *neighbour) crew() int { return perCore * runtime.GOMAXPROCS(0) }

func (n *neighbour) names() (names []string, err error) {
	list, err := n.src.Refs()
	for _, ref := range list {
		names = append(names, ref.String())
	}
	return names, err
}

func (n *neighbour) needsSummary(context.Context) (bool, error) { return n.verifies, nil }

func (n *neighbour) summary(_ context.Context, verify func(summary, signature []byte) error) (listed, error) {
	data, err := readOptional(n.src, "summary")
	if err != nil {
		return listed{}, err
	}
	signature, err := readOptional(n.src, "summary.sig")
	if err == nil && verify != nil {
		err = verify(data, signature)
	}
	if err != nil {
		return listed{}, err
	}
	return list(data, signature)
}

// readOptional reads a file of a repository; nil is that there is none.
func readOptional(src *objstore.Repo, name string) ([]byte, error) {
	data, err := src.ReadFile(name, summary.MaxSize)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("openat(%s): %w", name, err)
	}
	return data, nil
}

func (n *neighbour) accept(context.Context, listed) error { return nil }

func (n *neighbour) begin() {}

func (n *neighbour) resolve(_ context.Context, name refs.Name) (object.Checksum, error) {
	if name.Collection == "" {
		return n.src.Resolve(name.Ref)
	}
	list, err := n.src.CollectedRefs(name.Collection)
	if err != nil {
		return object.Checksum{}, err
	}
	for _, ref := range list {
		if ref.Ref == name.Ref {
			return object.ParseChecksum(ref.Checksum)
		}
	}
	return object.Checksum{}, fmt.Errorf("Collection–ref %s not found", name)
}

func (n *neighbour) commit(_ context.Context, t *transaction.Transaction, name object.Name, held bool, check check) (brought, error) {
	there, err := n.src.HasObject(name)
	if err == nil && (held || there) {
		err = n.judge(t, name, held, check)
	}
	if err == nil && there && !held {
		err = t.SetPartial(name.Checksum, true)
	}
	if err != nil {
		return brought{}, err
	}
	done, err := t.Import(n.src, name, n.options)
	if err != nil {
		return brought{}, err
	}
	size, err := t.ImportDetached(n.src, name.Checksum)
	return brought{taken: taken{Imported: done}, detached: size}, err
}

// judge has check look at a commit. What can't be read or is none passes, as who takes it
// over says why it can't be taken.
func (n *neighbour) judge(t *transaction.Transaction, name object.Name, held bool, check check) error {
	read := n.src.ReadMetadata
	if held {
		read = t.Repo().ReadMetadata
	}
	data, err := read(name, objstore.MaxMetadata)
	if err == nil {
		_, err = object.DecodeCommit(data)
	}
	if err != nil {
		return nil
	}
	detached, err := n.detached(t, name.Checksum)
	if err != nil {
		return err
	}
	return check(data, detached)
}

// detached is a commit's detached metadata: the other repository's, which counts as soon
// as the pull is over, or what is there if it has none.
func (n *neighbour) detached(t *transaction.Transaction, sum object.Checksum) (gvariant.Value, error) {
	for _, repo := range []*objstore.Repo{n.src, t.Repo()} {
		if v, ok, err := repo.CommitMeta(sum); ok || err != nil {
			return v, err
		}
	}
	return gvariant.Value{}, nil
}

func (n *neighbour) tombstone(_ context.Context, t *transaction.Transaction, sum object.Checksum) error {
	return t.ImportTombstone(n.src, sum)
}

func (n *neighbour) take(_ context.Context, t *transaction.Transaction, name object.Name) (taken, error) {
	done, err := t.Import(n.src, name, n.options)
	return taken{Imported: done}, err
}

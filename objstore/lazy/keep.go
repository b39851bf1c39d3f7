package lazy

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
	"deployfs/objstore/refs"
	"deployfs/objstore/remote"
	"deployfs/objstore/transaction"
)

// Keeping says into which repository goes what was fetched of a commit.
type Keeping struct {
	Cache  string // directory of the cache that it is taken from
	Server string // the [Source.ID] of who has it
	Repo   string
	Commit object.Checksum
	Remote string // the remote whose ref leads to the commit there
	Ref    string // "" is none
}

const (
	keepAfter = 300 * time.Millisecond // what has come by then goes into one transaction
	keepMost  = 4096                   // objects of one
)

// Keep puts objects into a repository of any mode, as they are named to it: lines of
// CHECKSUM.KIND. It verifies all of them, whoever names them. As long as objects may be missing,
// the commit is marked as partial, so that a pull goes on with it. Keep returns when there are
// no more names, and all is durable.
func Keep(ctx context.Context, k Keeping, names io.Reader) error {
	from, err := objstore.Open(k.Cache)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := objstore.Open(k.Repo)
	if err != nil {
		return err
	}
	defer to.Close()
	lines := make(chan object.Name, keepMost)
	go func() {
		defer close(lines)
		for in := bufio.NewScanner(names); in.Scan(); {
			if name, ok := parseName(in.Text()); ok {
				lines <- name
			}
		}
	}()
	for {
		batch, more := collect(lines)
		if len(batch) > 0 {
			if err := k.store(ctx, from, to, batch); err != nil {
				return fmt.Errorf("keeping in %s: %w", k.Repo, err)
			}
		}
		if !more {
			return nil
		}
	}
}

// collect waits for a name, and then for those that come soon.
func collect(names <-chan object.Name) (batch []object.Name, more bool) {
	name, ok := <-names
	if !ok {
		return nil, false
	}
	batch = append(batch, name)
	for end := time.After(keepAfter); len(batch) < keepMost; {
		select {
		case name, ok := <-names:
			if !ok {
				return batch, false
			}
			batch = append(batch, name)
		case <-end:
			return batch, true
		}
	}
	return batch, true
}

// parseName reads CHECKSUM.KIND of an object that can be kept.
func parseName(text string) (name object.Name, ok bool) {
	digits, kind, _ := strings.Cut(text, ".")
	sum, err := object.ParseChecksum(digits)
	for _, k := range []object.Kind{object.KindFile, object.KindDirTree, object.KindDirMeta, object.KindCommit, object.KindCommitMeta} {
		if k.String() == kind {
			return object.Name{Checksum: sum, Kind: k}, err == nil
		}
	}
	return name, false
}

func (k *Keeping) store(ctx context.Context, from, to *objstore.Repo, batch []object.Name) error {
	t, err := transaction.Begin(ctx, to)
	if err != nil {
		return err
	}
	defer t.Close()
	held, err := to.Holds(object.Name{Checksum: k.Commit, Kind: object.KindCommit})
	if err != nil {
		return err
	}
	if !held || to.IsPartial(k.Commit) {
		if err := t.SetPartial(k.Commit, true); err != nil {
			return err
		}
	}
	for _, name := range batch {
		err := k.receive(t, from, name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // it may have been evicted
			return err
		}
		held = held || err == nil && name.Checksum == k.Commit && name.Kind == object.KindCommit
	}
	if held && k.Ref != "" {
		t.SetRef(refs.Name{Remote: k.Remote, Ref: k.Ref}, k.Commit)
	}
	return t.Commit(ctx)
}

func (k *Keeping) receive(t *transaction.Transaction, from *objstore.Repo, name object.Name) error {
	switch name.Kind {
	case object.KindCommitMeta:
		data, err := word{&Cache{dir: k.Cache}, k.Server}.detached(name.Checksum)
		if err != nil || data == nil {
			return err
		}
		meta, err := gvariant.Parse("a{sv}", data)
		if err != nil {
			return object.Corrupt(name, err)
		}
		return t.ReplaceDetached(name.Checksum, meta)
	case object.KindFile:
		objects, path := from.ObjectFile(name)
		fd, err := unix.Openat(int(objects.Fd()), path, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		file := os.NewFile(uintptr(fd), path)
		defer file.Close()
		_, err = t.Receive(name.Checksum, file, transaction.ReceiveOptions{})
		return err
	}
	data, err := from.ReadMetadata(name, objstore.MaxMetadata)
	if err != nil {
		return err
	}
	return t.ReceiveMetadata(name, data)
}

// RemoteFor is the remote of a repository whose refs are those of a URL: one that is
// configured with it, else one that is called as the server.
func RemoteFor(repo *objstore.Repo, address string) (string, error) {
	list, err := remote.Load(repo)
	if err != nil {
		return "", err
	}
	for _, name := range list.Names() {
		if known, err := list.URL(name); err == nil && strings.TrimRight(known, "/") == address {
			return name, nil
		}
	}
	u, err := url.Parse(address)
	if err != nil || !refs.IsFragment(u.Hostname()) {
		return "lazy", nil
	}
	return u.Hostname(), nil
}

package transaction

import (
	"bytes"
	"crypto/sha256"
	"fmt"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
)

// WriteMetadata writes a commit, dirtree or dirmeta, and returns its checksum.
// What it holds must be whole and right: it is not looked at.
func (t *Transaction) WriteMetadata(kind object.Kind, data []byte) (object.Checksum, error) {
	name := object.Name{Checksum: sha256.Sum256(data), Kind: kind}
	t.count.metadata.Add(1)
	if len(data) > objstore.MaxMetadata {
		return name.Checksum, fmt.Errorf("Metadata object %s is too large: %w", name, &objstore.SizeError{Size: int64(len(data)), Limit: objstore.MaxMetadata})
	}
	t.noteMetadata(name, len(data))
	at, err := t.find(name, form{unix.S_IFREG, int64(len(data))})
	if at != absent || err != nil {
		return name.Checksum, err
	}
	placed, err := t.writeObject(name, data)
	if err != nil {
		return name.Checksum, fmt.Errorf("writing object %s: %w", name, err)
	}
	if placed {
		t.count.metadataWritten.Add(1)
	}
	if kind == object.KindCommit {
		t.claim(name)
	}
	return name.Checksum, nil
}

// writeObject writes an object that its bytes are all of.
func (t *Transaction) writeObject(name object.Name, data []byte) (placed bool, err error) {
	f, err := t.newFile()
	if err != nil {
		return false, err
	}
	defer f.close()
	if err := f.write(data); err != nil {
		return false, err
	}
	if err := unix.Fchmod(f.fd, 0o644); err != nil {
		return false, fmt.Errorf("fchmod: %w", err)
	}
	return t.place(f, name)
}

// exhumeAll removes the tombstones of the commits that have come back.
func (t *Transaction) exhumeAll() error {
	for _, commit := range t.own {
		if commit.Kind != object.KindCommit {
			continue
		}
		if err := t.exhume(commit.Checksum); err != nil {
			return err
		}
	}
	return nil
}

// exhume removes the tombstone of a commit that is there again.
func (t *Transaction) exhume(commit object.Checksum) error {
	name := object.Name{Checksum: commit, Kind: object.KindTombstone}
	objects, path := t.repo.ObjectFile(name)
	if err := unix.Unlinkat(int(objects.Fd()), path, 0); err != nil && err != unix.ENOENT {
		return fmt.Errorf("removing tombstone %s: %w", name, err)
	}
	return nil
}

// WriteDetached gives a commit detached metadata, an a{sv}, in the place of what
// it has. It becomes visible with the transaction's objects.
func (t *Transaction) WriteDetached(commit object.Checksum, meta gvariant.Value) error {
	if t.direct {
		return WriteDetached(t.repo, commit, meta)
	}
	name := object.Name{Checksum: commit, Kind: object.KindCommitMeta}
	_, path := t.repo.ObjectFile(name)
	if err := unix.Unlinkat(int(t.objects.Fd()), path, 0); err != nil && err != unix.ENOENT {
		return fmt.Errorf("unlinkat(%s): %w", path, err) // a transaction that was cut off has left it
	}
	if _, err := t.writeObject(name, meta.Bytes()); err != nil {
		return fmt.Errorf("writing object %s: %w", name, err)
	}
	t.claim(name)
	return nil
}

// ReplaceDetached is [Transaction.WriteDetached] unless the commit has that already.
func (t *Transaction) ReplaceDetached(commit object.Checksum, meta gvariant.Value) error {
	old, ok, err := t.repo.CommitMeta(commit)
	if err == nil && ok && bytes.Equal(old.Bytes(), meta.Bytes()) {
		return nil
	}
	return t.WriteDetached(commit, meta)
}

// WriteDetached gives a commit detached metadata without a transaction, and at once.
func WriteDetached(repo *objstore.Repo, commit object.Checksum, meta gvariant.Value) error {
	name := object.Name{Checksum: commit, Kind: object.KindCommitMeta}
	objects, path := repo.ObjectFile(name)
	if err := makeBucket(objects, path); err != nil {
		return err
	}
	if err := repo.Replace(objects, path, meta.Bytes(), 0o644); err != nil {
		return fmt.Errorf("writing object %s: %w", name, err)
	}
	return nil
}

// SetPartial says whether parts of a commit are missing by intention. That they are
// is durable when the commit is.
func (t *Transaction) SetPartial(commit object.Checksum, partial bool) error {
	dir := int(t.repo.Dir().Fd())
	path := "state/" + commit.String() + ".commitpartial"
	if !partial {
		if err := unix.Unlinkat(dir, path, 0); err != nil && err != unix.ENOENT {
			return fmt.Errorf("unlinkat(%s): %w", path, err)
		}
		return nil
	}
	if unix.Faccessat(dir, path, unix.F_OK, 0) == nil {
		return nil
	}
	if err := unix.Mkdirat(dir, "state", 0o775); err != nil && err != unix.EEXIST {
		return fmt.Errorf("mkdirat(state): %w", err)
	}
	if t.direct {
		return t.repo.Replace(t.repo.Dir(), path, nil, 0o644)
	}
	fd, err := unix.Openat(dir, path, unix.O_WRONLY|unix.O_CREAT|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o644)
	if err != nil {
		return fmt.Errorf("openat(%s): %w", path, err)
	}
	return unix.Close(fd)
}

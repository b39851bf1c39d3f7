package transaction

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
)

// ImportOptions say how far another repository is trusted.
type ImportOptions struct {
	// Untrusted has the checksum of all content checked, and refuses what it does
	// not fit. Without it content that is linked is not read, and a checksum that
	// does not fit is only told, as [Imported].Damage: ostree takes such objects.
	Untrusted bool
	// Modest refuses regular files with a mode that bare-user-only can't keep,
	// whatever the mode of the repository.
	Modest bool
	// Resume has an untrusted source be taken from in a transaction that goes on with what
	// another has staged: it is believed to have been checked, as [Transaction.Receive] believes it.
	Resume bool
}

// errUntrusted tells of a transaction that goes on with what nobody may have checked.
var errUntrusted = errors.New("a transaction that takes over what is not trusted begins with BeginAfresh")

// Imported is what became of an object that was to be taken over.
type Imported struct {
	Held    bool   // it was there already, in the repository or in a parent
	Data    []byte // of metadata
	Damage  error  // why the object is not what its name says, although it was taken
	Lossy   bool   // the repository does not keep the owner or the xattrs of the content
	Written uint64 // bytes of content, unless it is kept as the other repository keeps it
}

// Import takes over one object of another repository or its parents: content or
// metadata. It is linked where both repositories keep it alike, are on one file
// system and belong to one owner; else it is copied, or written anew. What is no
// well-formed object of its kind is refused in any case, but for content that is
// linked. An absent object is an [fs.ErrNotExist].
func (t *Transaction) Import(src *objstore.Repo, name object.Name, o ImportOptions) (done Imported, err error) {
	if o.Untrusted && !o.Resume && t.stage.resumed {
		return done, errUntrusted
	}
	if done.Held, err = t.Holds(name); err != nil {
		return done, err
	}
	switch {
	case name.Kind == object.KindFile && done.Held:
		return done, nil
	case name.Kind == object.KindFile:
		return t.importContent(src, name, o)
	case done.Held:
		done.Data, err = t.ReadMetadata(name, objstore.MaxMetadata)
	default:
		done.Data, err = src.ReadMetadata(name, objstore.MaxMetadata)
	}
	if err != nil {
		return done, metadataFailure(name, o, err)
	}
	if done.Damage = objstore.CheckMetadata(name, done.Data); done.Damage != nil && o.Untrusted {
		return done, metadataFailure(name, o, done.Damage)
	}
	if err := wellFormed(name.Kind, done.Data); err != nil {
		return done, metadataFailure(name, o, object.Corrupt(name, err))
	}
	if done.Held {
		return done, nil
	}
	t.count.metadata.Add(1)
	return done, t.importMetadata(src, name, done.Data)
}

// Holds reports whether the repository holds an object, or a parent does, or the
// repository will with this transaction.
func (t *Transaction) Holds(name object.Name) (bool, error) {
	held, err := t.Has(name)
	if parent := t.repo.Parent(); parent != nil && !held && err == nil {
		return parent.HasObject(name)
	}
	return held, err
}

// ReadMetadata returns the bytes of a metadata object, which may have been written
// in this transaction. They are not checked. Of one with more bytes than limit none is
// read: the error is an [objstore.SizeError].
func (t *Transaction) ReadMetadata(name object.Name, limit int64) ([]byte, error) {
	data, err := t.repo.ReadMetadata(name, limit)
	if t.direct || !errors.Is(err, fs.ErrNotExist) {
		return data, err
	}
	_, path := t.repo.ObjectFile(name)
	fd, err := unix.Openat(int(t.objects.Fd()), path, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err == unix.ENOENT {
		return nil, &object.NotExistError{Object: name}
	}
	if err != nil {
		return nil, fmt.Errorf("openat(%s): %w", path, err)
	}
	file := os.NewFile(uintptr(fd), path)
	defer file.Close()
	if data, err = io.ReadAll(io.LimitReader(file, limit+1)); err == nil && int64(len(data)) > limit {
		return nil, fmt.Errorf("reading object %s: %w", name, &objstore.SizeError{Size: int64(len(data)), Limit: limit})
	}
	return data, err
}

func wellFormed(kind object.Kind, data []byte) (err error) {
	switch kind {
	case object.KindCommit:
		_, err = object.DecodeCommit(data)
	case object.KindDirTree:
		_, err = object.DecodeDirTree(data)
	case object.KindDirMeta:
		_, err = object.DecodeDirMeta(data)
	default:
		err = errors.New("not an object that is taken over")
	}
	return err
}

func (t *Transaction) importMetadata(src *objstore.Repo, name object.Name, data []byte) error {
	from, err := holder(src, name)
	linked := false
	if err == nil {
		linked, err = t.importLink(from, name)
	}
	if err == nil && !linked {
		_, err = t.writeObject(name, data)
		t.count.metadataWritten.Add(1)
	}
	if err != nil {
		return fmt.Errorf("Importing %s: %w", name, err)
	}
	if name.Kind == object.KindCommit {
		t.claim(name)
	}
	return nil
}

// ImportDetached takes over the detached metadata of a commit, in the place of
// what is there, and returns its size in bytes; 0 when the other repository has
// none. It becomes visible with the transaction's objects.
func (t *Transaction) ImportDetached(src *objstore.Repo, commit object.Checksum) (int, error) {
	meta, ok, err := src.CommitMeta(commit)
	if err != nil || !ok {
		return 0, err
	}
	return len(meta.Bytes()), t.ReplaceDetached(commit, meta)
}

// ImportTombstone takes over that the other repository has deleted a commit, if it
// says so.
func (t *Transaction) ImportTombstone(src *objstore.Repo, commit object.Checksum) error {
	name := object.Name{Checksum: commit, Kind: object.KindTombstone}
	data, err := src.ReadMetadata(name, objstore.MaxMetadata)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := gvariant.Parse("a{sv}", data); err != nil {
		return object.Corrupt(name, err)
	}
	return t.importMetadata(src, name, data)
}

package objstore

import (
	"fmt"
	"os"
	"path"

	"golang.org/x/sys/unix"

	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
)

// RemoveObject takes an object out of this repository, not out of its parents. It
// is no error when it is not there. A commit takes its detached metadata with it.
// It is for who holds the exclusive lock.
func (r *Repo) RemoveObject(name object.Name) error {
	if err := r.unlinkObject(name); err != nil || name.Kind != object.KindCommit {
		return err
	}
	return r.unlinkObject(object.Name{Checksum: name.Checksum, Kind: object.KindCommitMeta})
}

func (r *Repo) unlinkObject(name object.Name) error {
	file := r.loosePath(name)
	switch err := unix.Unlinkat(int(r.objects.Fd()), file, 0); err {
	case nil:
		return r.syncAbove(r.objects, file)
	case unix.ENOENT:
		return nil
	default:
		return fmt.Errorf("Deleting object %s: unlinkat(%s): %w", name, file, describe(err))
	}
}

// syncAbove makes durable what was done to a name below dir, unless core.fsync=false.
func (r *Repo) syncAbove(dir *os.File, file string) error {
	if durable, err := r.Fsync(); err != nil || !durable {
		return err
	}
	return syncParent(dir, file)
}

// Bury leaves a tombstone for a commit, which tells who pulls that it is gone on
// purpose. One that is there is left alone, and made is false.
func (r *Repo) Bury(commit object.Checksum) (made bool, err error) {
	name := object.Name{Checksum: commit, Kind: object.KindTombstone}
	file := r.loosePath(name)
	if unix.Faccessat(int(r.objects.Fd()), file, unix.F_OK, unix.AT_SYMLINK_NOFOLLOW) == nil {
		return false, nil
	}
	err = unix.Mkdirat(int(r.objects.Fd()), path.Dir(file), 0o777)
	if err == unix.EEXIST {
		err = nil
	}
	if err == nil {
		err = r.Replace(r.objects, file, tombstone(commit), 0o644)
	}
	if err != nil {
		return false, fmt.Errorf("writing object %s: %w", name, describe(err))
	}
	return true, nil
}

// tombstone is the object's bytes: a dictionary that names the commit.
func tombstone(commit object.Checksum) []byte {
	text := gvariant.NewBytes(append([]byte(commit.String()), 0))
	entry := gvariant.NewEntry(gvariant.NewString("commit"), gvariant.NewVariant(text))
	return gvariant.NewArray("{sv}", entry).Bytes()
}

// WantTombstones sets core.tombstone-commits: who deletes a commit leaves a
// tombstone from then on.
func (r *Repo) WantTombstones() error {
	if wanted, err := r.Tombstones(); err != nil || wanted {
		return err
	}
	return r.EditConfig(func(data []byte) ([]byte, error) { return SetKey(data, "core", "tombstone-commits", "true") })
}

// Tombstones is the repository's core.tombstone-commits.
func (r *Repo) Tombstones() (bool, error) { return r.config.Bool("core", "tombstone-commits", false) }

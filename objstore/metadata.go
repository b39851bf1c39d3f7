package objstore

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"

	"golang.org/x/sys/unix"

	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
)

// MaxMetadata bounds a metadata object, in bytes; a dirmeta is bounded as other
// headers are.
const MaxMetadata = 128 << 20

// limitOf is how large an object of some kind may be, in bytes.
func limitOf(kind object.Kind) int64 {
	if kind == object.KindDirMeta {
		return object.MaxHeader
	}
	return MaxMetadata
}

// loosePath is where an object lies below objects/.
func (r *Repo) loosePath(name object.Name) string {
	path := make([]byte, 0, 96) // enough for every kind
	path = append(hex.AppendEncode(path, name.Checksum[:1]), '/')
	path = append(hex.AppendEncode(path, name.Checksum[1:]), '.')
	path = append(path, name.Kind.String()...)
	if r.mode == Archive && name.Kind == object.KindFile {
		path = append(path, 'z')
	}
	return string(path)
}

// ReadMetadata returns a metadata object's bytes as they are stored, here or in
// a parent repository. An absent object is an [object.NotExistError]; of one with
// more bytes than limit, or than its kind may have, none is read: the error is a
// [SizeError].
func (r *Repo) ReadMetadata(name object.Name, limit int64) ([]byte, error) {
	limit = min(limit, limitOf(name.Kind))
	if r.absent != nil {
		return r.absent.Metadata(name, func() ([]byte, error) { return r.readMetadata(name, limit) })
	}
	return r.readMetadata(name, limit)
}

func (r *Repo) readMetadata(name object.Name, limit int64) ([]byte, error) {
	for repo := r; repo != nil; repo = repo.parent {
		data, err := readFileAt(repo.objects, repo.loosePath(name), limit)
		if err == nil {
			return data, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, readError(name, err)
		}
	}
	return nil, &object.NotExistError{Object: name}
}

// readError tells damage (an object file that can't be one) from failure.
func readError(name object.Name, err error) error {
	if errors.Is(err, unix.ELOOP) || errors.Is(err, errNotRegular) {
		return object.Corrupt(name, errNotRegular)
	}
	return &ReadError{name, plain(err)}
}

// ReadError says that an object is there and can't be read.
type ReadError struct {
	Object object.Name
	Err    error
}

func (e *ReadError) Error() string {
	return "reading object " + e.Object.String() + ": " + e.Err.Error()
}

func (e *ReadError) Unwrap() error { return e.Err }

// Metadata returns the bytes of a commit, dirtree or dirmeta, checked against its name.
func (r *Repo) Metadata(name object.Name) ([]byte, error) {
	data, err := r.ReadMetadata(name, MaxMetadata)
	if err != nil {
		return nil, err
	}
	return data, CheckMetadata(name, data)
}

// CheckMetadata fails unless data is what name says.
func CheckMetadata(name object.Name, data []byte) error {
	if found := object.Checksum(sha256.Sum256(data)); found != name.Checksum {
		return object.Mismatch(name, found)
	}
	return nil
}

// Commit reads a commit, checked against its name.
func (r *Repo) Commit(sum object.Checksum) (object.Commit, error) {
	return load(r, object.Name{Checksum: sum, Kind: object.KindCommit}, object.DecodeCommit)
}

// DirTree reads a dirtree, checked against its name.
func (r *Repo) DirTree(sum object.Checksum) (object.DirTree, error) {
	return load(r, object.Name{Checksum: sum, Kind: object.KindDirTree}, object.DecodeDirTree)
}

// DirMeta reads a dirmeta, checked against its name.
func (r *Repo) DirMeta(sum object.Checksum) (object.DirMeta, error) {
	return load(r, object.Name{Checksum: sum, Kind: object.KindDirMeta}, object.DecodeDirMeta)
}

func load[T any](r *Repo, name object.Name, decode func([]byte) (T, error)) (value T, err error) {
	data, err := r.Metadata(name)
	if err != nil {
		return value, err
	}
	if value, err = decode(data); err != nil {
		err = object.Corrupt(name, err)
	}
	return value, err
}

// CommitMeta reads a commit's detached metadata, an a{sv} that no checksum
// covers; false when it has none.
func (r *Repo) CommitMeta(sum object.Checksum) (gvariant.Value, bool, error) {
	name := object.Name{Checksum: sum, Kind: object.KindCommitMeta}
	data, err := r.ReadMetadata(name, MaxMetadata)
	if errors.Is(err, fs.ErrNotExist) {
		return gvariant.Value{}, false, nil
	}
	if err != nil {
		return gvariant.Value{}, false, err
	}
	v, err := gvariant.Parse("a{sv}", data)
	if err != nil {
		return v, false, object.Corrupt(name, err)
	}
	return v, true, nil
}

// HasObject reports whether the repository or a parent holds an object, or it can
// be brought.
func (r *Repo) HasObject(name object.Name) (bool, error) {
	held, err := r.Holds(name)
	if held || err != nil || r.absent == nil {
		return held, err
	}
	if err = r.brings(name); isAbsent(err) {
		return false, nil
	}
	return err == nil, err
}

// Holds reports whether the repository or a parent holds an object.
func (r *Repo) Holds(name object.Name) (bool, error) {
	for repo := r; repo != nil; repo = repo.parent {
		var st unix.Stat_t
		err := unix.Fstatat(int(repo.objects.Fd()), repo.loosePath(name), &st, unix.AT_SYMLINK_NOFOLLOW)
		if err == nil {
			return true, nil
		}
		if err != unix.ENOENT {
			return false, readError(name, err)
		}
	}
	return false, nil
}

// IsPartial reports whether some of a commit's objects may be absent by
// intention: an interrupted or restricted pull.
func (r *Repo) IsPartial(commit object.Checksum) bool {
	for repo := r; repo != nil; repo = repo.parent {
		path := partialPath(commit)
		if unix.Faccessat(int(repo.dir.Fd()), path, unix.F_OK, 0) == nil {
			return true
		}
	}
	return false
}

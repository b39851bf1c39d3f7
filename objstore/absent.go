package objstore

import (
	"errors"

	"deployfs/objstore/object"
)

// Absent brings what is missing, from a server perhaps. It is asked for each object
// that is read: read and open do it from the repository and its parents, and fail
// with an [object.NotExistError] where they hold none. It may put an object into the
// repository and then read again. What it can't bring, it fails for in the same way.
// Its methods may be called at the same time.
type Absent interface {
	Metadata(name object.Name, read func() ([]byte, error)) ([]byte, error)
	Content(sum object.Checksum, open func() (*Content, error)) (*Content, error)
	Header(sum object.Checksum, read func() (object.Header, error)) (object.Header, error)
}

// BringAbsent has a repository's objects be read by way of a. It is not for
// concurrent use.
func (r *Repo) BringAbsent(a Absent) { r.absent = a }

// SearchAlso has a repository be searched for what is missing here and in the parents,
// as if it were the last of these: it is closed with them. It is not for concurrent use.
func (r *Repo) SearchAlso(other *Repo) {
	last := r
	for last.parent != nil {
		last = last.parent
	}
	last.parent = other
}

// brings brings an object that is not here.
func (r *Repo) brings(name object.Name) (err error) {
	if name.Kind == object.KindFile {
		_, err = r.Header(name.Checksum)
	} else {
		_, err = r.ReadMetadata(name, limitOf(name.Kind))
	}
	return err
}

// isAbsent reports whether an error says that there is no such object.
func isAbsent(err error) bool { return errors.As(err, new(*object.NotExistError)) }

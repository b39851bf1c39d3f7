package fs

import (
	"fmt"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/object"
)

// Source holds the objects of a tree. Its methods are called at the same time.
type Source interface {
	// ReadMetadata returns the bytes of a dirtree or dirmeta as they are
	// stored. The fs checks and keeps them. One of more than limit bytes is an
	// [objstore.SizeError].
	ReadMetadata(name object.Name, limit int64) ([]byte, error)
	// Stat returns a content object's header, which may lack the xattrs.
	Stat(sum object.Checksum) (object.Header, error)
	// Header returns a content object's whole header.
	Header(sum object.Checksum) (object.Header, error)
	// Statfs tells about the filesystem that holds the objects.
	Statfs() (unix.Statfs_t, error)
}

// Verify says when objects are checked against their names.
type Verify uint8

// The ways to verify.
const (
	VerifyFirst  Verify = iota // metadata when decoded, content when first read
	VerifyNone                 // never
	VerifyAlways               // as first, and content at every open
)

var verifyNames = [...]string{"first", "none", "always"}

// String is the way's name on the command line.
func (v Verify) String() string { return verifyNames[v] }

// ParseVerify reads the name of a way to verify.
func ParseVerify(name string) (Verify, error) {
	for i, known := range verifyNames {
		if name == known {
			return Verify(i), nil
		}
	}
	return 0, fmt.Errorf("%q is no way to verify: want first, none or always", name)
}

var _ Source = (*objstore.Repo)(nil)

// Options say how a tree is shown.
type Options struct {
	Verify  Verify
	Memory  int64  // bytes of decoded metadata to keep, 64 MiB when 0; and one dirtree that is larger
	Mtime   uint64 // of every entry, in seconds since 1970
	DirMode uint32 // permission bits that directories may have; 0 means all

	NoXattrs bool // the source has no extended attributes

	// Names, when there are any, are shown instead of one tree, and belong to
	// NamesUID and NamesGID.
	Names              Names
	NamesUID, NamesGID uint32

	// State is what an earlier server knew, or new. The FS closes it; when nil,
	// it makes one.
	State *State

	// Report is told of every object that can't be shown, once: the path of
	// the entry that needs it and why. It may be called at the same time.
	Report func(path string, err error)
}

// DefaultMemory is the Memory of an FS that is given none, in bytes.
const DefaultMemory = 64 << 20

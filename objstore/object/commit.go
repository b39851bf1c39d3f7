package object

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math/bits"

	"deployfs/objstore/gvariant"
)

// CommitType is the GVariant type of a commit: metadata, parent, related
// objects, subject, body, timestamp, root dirtree, root dirmeta.
const CommitType = "(a{sv}aya(say)sstayay)"

// Commit is one version of a tree.
type Commit struct {
	Metadata  gvariant.Value // a{sv}
	Parent    Checksum       // zero when there is none
	Subject   string
	Body      string
	Timestamp uint64   // seconds since 1970, UTC
	Root      Checksum // dirtree
	RootMeta  Checksum // dirmeta
}

// DecodeCommit reads a commit object.
func DecodeCommit(data []byte) (c Commit, err error) {
	v, err := gvariant.Parse(CommitType, data)
	if err != nil {
		return c, err
	}
	c = Commit{
		Metadata:  v.At(0),
		Subject:   v.At(3).Str(),
		Body:      v.At(4).Str(),
		Timestamp: bits.ReverseBytes64(v.At(5).Uint64()),
	}
	if parent := v.At(1).ByteString(); len(parent) > 0 {
		if c.Parent, err = checksumFrom(parent); err != nil {
			return c, fmt.Errorf("parent: %w", err)
		}
	}
	if c.Root, err = checksumFrom(v.At(6).ByteString()); err != nil {
		return c, fmt.Errorf("root dirtree: %w", err)
	}
	if c.RootMeta, err = checksumFrom(v.At(7).ByteString()); err != nil {
		return c, fmt.Errorf("root dirmeta: %w", err)
	}
	for i := range c.Metadata.Len() {
		if len(c.Metadata.At(i).At(0).Text()) == 0 {
			return c, errors.New("Empty metadata key")
		}
	}
	return c, nil
}

// ContentChecksum identifies the commit's tree whatever its message and time:
// the SHA-256 of its root dirtree and root dirmeta checksums.
func (c Commit) ContentChecksum() Checksum {
	return sha256.Sum256(append(c.Root[:], c.RootMeta[:]...))
}

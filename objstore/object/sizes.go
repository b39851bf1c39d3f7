package object

import (
	"encoding/binary"
	"errors"
	"fmt"

	"deployfs/objstore/gvariant"
)

// ObjectSize is what a commit says about the size of an object of its tree, in bytes.
type ObjectSize struct {
	Object   Name
	Archived uint64 // of the object file in the archive repository that made the commit
	Unpacked uint64
}

// ErrNoSizes is returned for a commit that was made without sizes.
var ErrNoSizes = errors.New("No metadata key ostree.sizes in commit")

// Sizes reads the commit's key "ostree.sizes".
func (c Commit) Sizes() ([]ObjectSize, error) {
	v, ok := c.Metadata.Lookup("ostree.sizes")
	if !ok || v.Type() != "aay" {
		return nil, ErrNoSizes
	}
	list := make([]ObjectSize, v.Len())
	for i := range list {
		var err error
		if list[i], err = decodeSize(v.At(i).ByteString()); err != nil {
			return nil, fmt.Errorf("ostree.sizes: entry %d: %w", i, err)
		}
	}
	return list, nil
}

// decodeSize reads a checksum, two varints and a kind, which old commits lack.
func decodeSize(data []byte) (s ObjectSize, err error) {
	if len(data) < len(s.Object.Checksum) {
		return s, fmt.Errorf("%d bytes are too few", len(data))
	}
	s.Object = Name{Checksum: Checksum(data[:32]), Kind: KindFile}
	data = data[32:]
	for _, field := range []*uint64{&s.Archived, &s.Unpacked} {
		value, n := binary.Uvarint(data)
		if n <= 0 {
			return s, errors.New("invalid varint")
		}
		*field, data = value, data[n:]
	}
	if len(data) > 0 {
		s.Object.Kind, data = Kind(data[0]), data[1:]
	}
	if len(data) > 0 || s.Object.Kind < KindFile || s.Object.Kind > KindDirMeta {
		return s, errors.New("invalid object type")
	}
	return s, nil
}

// SizesValue is the aay of the key "ostree.sizes"; list must be sorted by checksum.
func SizesValue(list []ObjectSize) gvariant.Value {
	entries := make([]gvariant.Value, len(list))
	for i, size := range list {
		entry := size.Object.Checksum[:len(size.Object.Checksum):len(size.Object.Checksum)]
		entry = binary.AppendUvarint(entry, size.Archived)
		entry = binary.AppendUvarint(entry, size.Unpacked)
		entries[i] = gvariant.NewBytes(append(entry, byte(size.Object.Kind)))
	}
	return gvariant.NewArray("ay", entries...)
}

package object

import (
	"fmt"
	"math/bits"

	"deployfs/objstore/gvariant"
)

// DirMetaType is the GVariant type of a dirmeta: uid, gid, mode, xattrs.
const DirMetaType = "(uuua(ayay))"

// The type bits of a mode, as in stat(2).
const (
	ModeType    = 0o170000
	ModeDir     = 0o040000
	ModeRegular = 0o100000
	ModeSymlink = 0o120000
	modeBits    = 0o7777
)

// DirMeta is what a directory has beside its entries.
type DirMeta struct {
	UID, GID uint32
	Mode     uint32 // with the type bits
	Xattrs   []Xattr
}

// DecodeDirMeta reads a dirmeta object.
func DecodeDirMeta(data []byte) (DirMeta, error) {
	m, err := decodeMeta(data)
	if err == nil && m.Mode&ModeType != ModeDir {
		err = fmt.Errorf("mode %#o is not a directory's", m.Mode)
	}
	return m, err
}

// decodeMeta reads a (uuua(ayay)), which also describes content in bare-user mode.
func decodeMeta(data []byte) (m DirMeta, err error) {
	v, err := gvariant.Parse(DirMetaType, data)
	if err != nil {
		return m, err
	}
	m = DirMeta{UID: big32(v.At(0)), GID: big32(v.At(1)), Mode: big32(v.At(2))}
	if m.Mode&^(ModeType|modeBits) != 0 {
		return m, fmt.Errorf("Invalid mode %d; invalid bits in mode", m.Mode)
	}
	m.Xattrs, err = decodeXattrs(v.At(3))
	return m, err
}

// big32 reads a u that OSTree stores big endian.
func big32(v gvariant.Value) uint32 { return bits.ReverseBytes32(v.Uint32()) }

// newBig32 serialises a u big endian.
func newBig32(n uint32) gvariant.Value { return gvariant.NewUint32(bits.ReverseBytes32(n)) }

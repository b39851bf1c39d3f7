package object

import "deployfs/objstore/gvariant"

// Encode is the dirmeta object of m; its xattrs must be sorted by name.
func (m DirMeta) Encode() []byte {
	return gvariant.NewTuple(newBig32(m.UID), newBig32(m.GID), newBig32(m.Mode), encodeXattrs(m.Xattrs)).Bytes()
}

// XattrsValue is the a(ayay) of a list of xattrs sorted by name.
func XattrsValue(list []Xattr) gvariant.Value { return encodeXattrs(list) }

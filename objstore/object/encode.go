package object

import (
	"math/bits"

	"deployfs/objstore/gvariant"
)

// Encode is the dirmeta object of m; its xattrs must be sorted by name.
func (m DirMeta) Encode() []byte {
	return gvariant.NewTuple(newBig32(m.UID), newBig32(m.GID), newBig32(m.Mode), encodeXattrs(m.Xattrs)).Bytes()
}

// XattrsValue is the a(ayay) of a list of xattrs sorted by name.
func XattrsValue(list []Xattr) gvariant.Value { return encodeXattrs(list) }

// EncodeUserMeta is the xattr user.ostreemeta of a bare-user content object.
func (h *Header) EncodeUserMeta() []byte {
	return DirMeta{UID: h.UID, GID: h.GID, Mode: h.Mode, Xattrs: h.Xattrs}.Encode()
}

// File is an entry of a directory: a content object and its name there.
type File struct {
	Name    string
	Content Checksum
}

// Dir is a subdirectory and its name.
type Dir struct {
	Name       string
	Tree, Meta Checksum
}

// EncodeDirTree is the dirtree object of a directory. Both lists must be sorted by
// name, in bytes, and no name be in both.
func EncodeDirTree(files []File, dirs []Dir) []byte {
	fileList := make([]gvariant.Value, len(files))
	for i, f := range files {
		fileList[i] = gvariant.NewTuple(gvariant.NewString(f.Name), gvariant.NewBytes(f.Content[:]))
	}
	dirList := make([]gvariant.Value, len(dirs))
	for i, d := range dirs {
		dirList[i] = gvariant.NewTuple(gvariant.NewString(d.Name), gvariant.NewBytes(d.Tree[:]), gvariant.NewBytes(d.Meta[:]))
	}
	return gvariant.NewTuple(gvariant.NewArray("(say)", fileList...), gvariant.NewArray("(sayay)", dirList...)).Bytes()
}

// Encode is the commit object of c.
func (c Commit) Encode() []byte {
	var parent []byte
	if !c.Parent.IsZero() {
		parent = c.Parent[:]
	}
	return gvariant.NewTuple(
		c.Metadata, gvariant.NewBytes(parent), gvariant.NewArray("(say)"),
		gvariant.NewString(c.Subject), gvariant.NewString(c.Body), gvariant.NewUint64(bits.ReverseBytes64(c.Timestamp)),
		gvariant.NewBytes(c.Root[:]), gvariant.NewBytes(c.RootMeta[:])).Bytes()
}

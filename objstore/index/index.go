package index

import (
	"bytes"
	"encoding/binary"
	"sort"

	"deployfs/objstore/object"
)

// Index is a tree that was proven whole. Its methods panic for numbers that it
// did not give out, and for nothing else. They may be called at the same time.
type Index struct {
	root     Root
	flavour  Flavour
	rootAttr Attr
	gaps     int // rows that are not known
	size     int

	rows, sums, dirs, attrs, metas, sets, xattrs, targets, names []byte
}

// Dir is a directory's number, Row an entry's, Attr that of its attributes.
type (
	Dir  uint32
	Row  uint32
	Attr uint32
)

// Attributes are mode, owner and xattr set of an entry.
type Attributes struct {
	UID, GID uint32
	Mode     uint32 // with the type bits
	Xattrs   uint32 // number of the set; 0 is the empty one
}

// Root is what the index is of.
func (x *Index) Root() Root { return x.root }

// Size is what the index takes, in bytes.
func (x *Index) Size() int { return x.size }

// RootDir is the directory of the root.
func (x *Index) RootDir() Dir { return Dir(len(x.dirs)/dirSize - 1) }

// Len is the number of rows: entries of directories that differ.
func (x *Index) Len() int { return len(x.sums) / sumSize }

// RootAttributes are those of the root.
func (x *Index) RootAttributes() Attributes { return x.attributes(x.rootAttr) }

// HasXattrs reports whether an entry has an extended attribute, or may have:
// what was not read is not known.
func (x *Index) HasXattrs() bool { return len(x.sets)/setSize > 2 || x.gaps > 0 }

// Entries is a directory's first row and the numbers of its files and subdirectories.
func (x *Index) Entries(d Dir) (first Row, files, subdirs int) {
	at := x.dirs[int(d)*dirSize:][:dirSize]
	return Row(le32(at)), int(le32(at[4:])), int(le32(at[8:]))
}

func (x *Index) row(r Row) []byte { return x.rows[int(r)*rowSize:][:rowSize] }

func (x *Index) attr(r Row) uint32  { return le32(x.row(r)[4:]) }
func (x *Index) value(r Row) uint64 { return binary.LittleEndian.Uint64(x.row(r)[8:]) }

// Name is an entry's name, in place.
func (x *Index) Name(r Row) []byte {
	return x.names[le32(x.row(r)):le32(x.row(r+1))]
}

// Sum is an entry's object: a content object, or a directory's dirtree.
func (x *Index) Sum(r Row) object.Checksum { return object.Checksum(x.sums[int(r)*sumSize:][:sumSize]) }

// Known reports whether the index holds more than an entry's name and object.
func (x *Index) Known(r Row) bool { return x.attr(r) != unknown }

// Attributes are those of an entry that is known.
func (x *Index) Attributes(r Row) (a Attributes) { return x.attributes(Attr(x.attr(r))) }

func (x *Index) attributes(n Attr) Attributes {
	at := x.attrs[int(n)*attrSize:][:attrSize]
	return Attributes{UID: le32(at), GID: le32(at[4:]), Mode: le32(at[8:]), Xattrs: le32(at[12:])}
}

// Meta is the dirmeta of a subdirectory whose attributes are known.
func (x *Index) Meta(r Row) object.Checksum {
	return object.Checksum(x.metas[int(x.attr(r))*sumSize:][:sumSize])
}

// FileSize is the size of a regular file that is known, in bytes.
func (x *Index) FileSize(r Row) uint64 { return x.value(r) }

// Target is where a symbolic link that is known points, in place.
func (x *Index) Target(r Row) []byte {
	v := x.value(r)
	return x.targets[uint32(v):][:v>>32]
}

// Subdir is the directory of a subdirectory that is known.
func (x *Index) Subdir(r Row) Dir { return Dir(x.value(r)) }

// Xattrs are those of a set, copied, sorted by name.
func (x *Index) Xattrs(set uint32) (list []object.Xattr) {
	at := x.sets[int(set)*setSize:]
	for data := x.xattrs[le32(at):le32(at[4:])]; len(data) > 0; {
		name, value := int(binary.LittleEndian.Uint16(data)), int(le32(data[2:]))
		list = append(list, object.Xattr{Name: string(data[6:][:name]), Value: bytes.Clone(data[6+name:][:value])})
		data = data[6+name+value:]
	}
	return list
}

// Find is where a name stands in a directory, counted from its first row.
func (x *Index) Find(d Dir, name []byte) (pos int, ok bool) {
	first, files, subdirs := x.Entries(d)
	if i, ok := x.search(first, files, name); ok {
		return i, true
	}
	i, ok := x.search(first+Row(files), subdirs, name)
	return files + i, ok
}

func (x *Index) search(first Row, n int, name []byte) (int, bool) {
	return sort.Find(n, func(i int) int { return bytes.Compare(name, x.Name(first+Row(i))) })
}

func le32(data []byte) uint32 { return binary.LittleEndian.Uint32(data) }

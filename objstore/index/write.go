package index

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math"
	"strings"

	"deployfs/objstore/object"
)

// errTooLarge says that a tree has more than an index can number, or than may be
// in memory while it is built.
var errTooLarge = errors.New("the tree is too large for an index")

// writer collects the sections of an index.
type writer struct {
	rows, sums, dirs, attrs, metas, sets, xattrs, targets, names []byte

	attrOf   map[attrKey]uint32
	setOf    map[string]uint32
	flags    uint32
	files    uint64 // regular ones
	bytes    uint64 // in them
	targetOf map[string]uint64
}

// attrKey is what tells attributes apart.
type attrKey struct {
	uid, gid, mode, set uint32
	meta                object.Checksum
}

func newWriter() *writer {
	w := &writer{attrOf: map[attrKey]uint32{}, setOf: map[string]uint32{}, targetOf: map[string]uint64{}}
	w.set(nil)
	return w
}

// row adds an entry to the directory that is being written.
func (w *writer) row(name []byte, sum object.Checksum, attr uint32, value uint64) {
	w.rows = put32(w.rows, uint32(len(w.names)), attr)
	w.rows = binary.LittleEndian.AppendUint64(w.rows, value)
	w.names = append(w.names, name...)
	w.sums = append(w.sums, sum[:]...)
}

// dir ends a directory, whose rows are the last ones.
func (w *writer) dir(files, subdirs int) Dir {
	number := Dir(len(w.dirs) / dirSize)
	w.dirs = put32(w.dirs, uint32(len(w.sums)/sumSize-files-subdirs), uint32(files), uint32(subdirs))
	return number
}

// full fails when numbers no longer fit.
func (w *writer) full() error {
	if len(w.sums)/sumSize > maxRows || max(len(w.names), len(w.targets), len(w.xattrs)) > math.MaxUint32 {
		return errTooLarge
	}
	return nil
}

// attribute is the number of some attributes. Meta is a directory's dirmeta.
func (w *writer) attribute(uid, gid, mode uint32, xattrs []object.Xattr, meta object.Checksum) uint32 {
	key := attrKey{uid, gid, mode, w.set(xattrs), meta}
	number, ok := w.attrOf[key]
	if !ok {
		number = uint32(len(w.attrOf))
		w.attrOf[key] = number
		w.attrs = put32(w.attrs, uid, gid, mode, key.set)
		w.metas = append(w.metas, meta[:]...)
	}
	return number
}

// set is the number of a set of extended attributes.
func (w *writer) set(xattrs []object.Xattr) uint32 {
	var data []byte
	for _, x := range xattrs {
		if strings.HasPrefix(x.Name, "trusted.") || strings.HasPrefix(x.Name, "user.") {
			w.flags |= flagGuarded
		}
		data = binary.LittleEndian.AppendUint16(data, uint16(len(x.Name)))
		data = put32(data, uint32(len(x.Value)))
		data = append(append(data, x.Name...), x.Value...)
	}
	number, ok := w.setOf[string(data)]
	if !ok {
		number = uint32(len(w.setOf))
		w.setOf[string(data)] = number
		w.sets = put32(w.sets, uint32(len(w.xattrs)))
		w.xattrs = append(w.xattrs, data...)
	}
	return number
}

// target is the value of a link's row.
func (w *writer) target(path string) uint64 {
	value, ok := w.targetOf[path]
	if !ok {
		value = uint64(len(path))<<32 | uint64(len(w.targets))
		w.targetOf[path] = value
		w.targets = append(w.targets, path...)
	}
	return value
}

// finish puts the sections together.
func (w *writer) finish(root Root, flavour Flavour, rootAttr uint32) []byte {
	c := counts{
		rows: uint64(len(w.sums) / sumSize), dirs: uint64(len(w.dirs) / dirSize), attrs: uint64(len(w.attrOf)),
		sets: uint64(len(w.setOf)), xattrs: uint64(len(w.xattrs)), targets: uint64(len(w.targets)), names: uint64(len(w.names)),
	}
	w.rows = append(put32(w.rows, uint32(len(w.names))), make([]byte, rowSize-4)...)
	w.sets = put32(w.sets, uint32(len(w.xattrs)))
	s := c.sections()
	data := make([]byte, s.end)
	copy(data, magic)
	binary.LittleEndian.PutUint32(data[atVersion:], version)
	binary.LittleEndian.PutUint32(data[atFlavour:], uint32(flavour))
	copy(data[atRootTree:], root.Tree[:])
	copy(data[atRootMeta:], root.Meta[:])
	binary.LittleEndian.PutUint32(data[atRootAttr:], rootAttr)
	binary.LittleEndian.PutUint32(data[atFlags:], w.flags)
	binary.LittleEndian.PutUint64(data[atFiles:], w.files)
	binary.LittleEndian.PutUint64(data[atBytes:], w.bytes)
	for i, field := range c.fields() {
		binary.LittleEndian.PutUint64(data[atCounts+8*i:], *field)
	}
	for _, section := range []struct {
		at   uint64
		data []byte
	}{
		{s.rows, w.rows}, {s.sums, w.sums}, {s.dirs, w.dirs}, {s.attrs, w.attrs}, {s.metas, w.metas},
		{s.sets, w.sets}, {s.xattrs, w.xattrs}, {s.targets, w.targets}, {s.names, w.names},
	} {
		copy(data[section.at:], section.data)
	}
	digest := sha256.Sum256(data[atDigest+sha256.Size:])
	copy(data[atDigest:], digest[:])
	return data
}

func put32(data []byte, values ...uint32) []byte {
	for _, v := range values {
		data = binary.LittleEndian.AppendUint32(data, v)
	}
	return data
}

package index

import (
	"deployfs/objstore/object"
)

const (
	magic   = "deployfs index\x00\n"
	version = 1

	headerSize = 208
	rowSize    = 16
	sumSize    = 32
	dirSize    = 12
	attrSize   = 16
	setSize    = 4

	// unknown is the attribute of a row that could not be read: a gap.
	unknown = 1<<32 - 1
	// maxRows bounds the entries, so that every number fits 32 bits.
	maxRows = 1 << 30
	// maxSize bounds an index, in bytes.
	maxSize = 1 << 37
)

// Where things are in the header, in bytes.
const (
	atVersion  = 16
	atDigest   = 24 // SHA-256 of what follows
	atFlavour  = 56
	atRootTree = 64
	atRootMeta = 96
	atRootAttr = 128
	atFlags    = 132
	atFiles    = 136 // rows of regular files, u64
	atBytes    = 144 // what these files hold, u64
	atCounts   = 152 // of counts, u64 each
)

// flagGuarded says that there are xattrs which not everyone may read who may
// read the repository.
const flagGuarded = 1

// counts is how much of everything an index holds.
type counts struct {
	rows, dirs, attrs, sets, xattrs, targets, names uint64
}

func (c *counts) fields() [7]*uint64 {
	return [...]*uint64{&c.rows, &c.dirs, &c.attrs, &c.sets, &c.xattrs, &c.targets, &c.names}
}

// sections is where each section begins, and where the last one ends.
type sections struct {
	rows, sums, dirs, attrs, metas, sets, xattrs, targets, names, end uint64
}

func (c *counts) sections() (s sections) {
	at := uint64(headerSize)
	for _, section := range []struct {
		start *uint64
		size  uint64
	}{
		{&s.rows, (c.rows + 1) * rowSize},
		{&s.sums, c.rows * sumSize},
		{&s.dirs, c.dirs * dirSize},
		{&s.attrs, c.attrs * attrSize},
		{&s.metas, c.attrs * sumSize},
		{&s.sets, (c.sets + 1) * setSize},
		{&s.xattrs, c.xattrs},
		{&s.targets, c.targets},
		{&s.names, c.names},
	} {
		*section.start = at
		at = (at + section.size + 7) &^ 7
	}
	s.end = at
	return s
}

// Root names a tree: what an index is of.
type Root struct{ Tree, Meta object.Checksum }

// Flavour is what else an index depends on: a repository's way to store content
// can hide owners and extended attributes.
type Flavour uint32

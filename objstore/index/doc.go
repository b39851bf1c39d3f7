// Package index keeps what a tree's directories and files look like in one
// file, which is mapped and read in place: a walk over it opens no object.
//
// # What it is
//
// An index belongs to one root: a dirtree and a dirmeta. It holds every
// directory below them once, however often it occurs, and for every entry its
// name, type, mode, owner, size or link target, extended attributes and object.
// It is derived from the repository: one that is absent, damaged, cut off or
// of another version is made anew by [Build]. What could not be read when it
// was made is a gap, which its reader fills from the objects.
//
// # Format
//
// Little endian, sections in this order, each aligned to 8 bytes:
//
//	header   magic, version, SHA-256 of all that follows, flavour, root, flags, totals, counts
//	rows     name u32, attribute u32, value u64; one more ends the last name
//	sums     32 bytes for each row: its content object or dirtree
//	dirs     first row u32, files u32, subdirectories u32
//	attrs    uid u32, gid u32, mode u32, xattr set u32
//	metas    32 bytes for each attribute: the dirmeta that says so, or zero
//	sets     where each xattr set begins in xattrs, u32; one more ends the last
//	xattrs   for each xattr: sizes of name u16 and value u32, name, value
//	targets  of symbolic links
//	names    in the order of rows
//
// A directory's rows stand together: files, then subdirectories, each in the
// order of their names, as in the dirtree. A row's value is a regular file's
// size, where a link's target is (offset u32, length u32), or a subdirectory's
// number, which is smaller than that of the directory it is in: the root is the
// last, and there is no cycle. A row costs 48 bytes and its name.
//
// # Trust
//
// An index is believed only when its file and its directory belong to the
// reader or to root and nobody else may write there: see [Store]. It can be read
// by those who may read the objects that it is derived from, in the repository
// and in its parents; one with extended attributes that not all of them may
// read, or in a user's cache, by its owner alone.
package index

// Package delta reads and applies static deltas: what leads from one commit, or
// from none, to another without a request for each object.
//
// A delta is a superblock and parts. The superblock holds the new commit whole,
// its detached metadata perhaps, and of each part the checksum and the objects
// that it makes, in their order; parts may stand in it, too. A part holds a table
// of owners and modes, one of xattrs, a blob of data, and operations of one byte
// with arguments, which make one object after the other: out of the blob, out of
// content that the repository holds already, or out of both.
//
// Nothing that a delta says of itself is believed: each object gets its name only
// when its bytes are what that name says, and a commit only when all that its tree
// needs is there. Memory is bounded: what a part is compressed from goes to a file
// without a name when it is large.
//
// Source: ostree, src/libostree/ostree-repo-static-delta-core.c and
// ostree-repo-static-delta-processing.c.
package delta

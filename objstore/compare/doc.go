// Package compare says what differs between two sides, each of which is a commit's tree or a directory
// of this machine.
//
// # Sides
//
// A [Commit] knows the checksums of all its entries; where both sides do, package diff's rule holds
// that equal subtrees are never opened. A [Directory] has to find its checksums out. A file is hashed
// only when nothing cheaper says whether it is the same as what the other side has: its size or mode
// differs, or it was hashed before, by this or another name, and package identity vouches for it. A [Mounted] directory shows a commit: it has that commit's checksums, in the order of the
// directory's own listing.
//
// # Order
//
// Changes come in the order of paths as package diff has it or, for those who print what ostree
// prints, in ostree's order: that in which each side lists its entries.
//
// Source: ostree, src/libostree/ostree-diff.c, src/ostree/ot-builtin-diff.c.
package compare

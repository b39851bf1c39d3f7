// Package object defines OSTree's objects: what they are called, what their
// bytes mean, and when those bytes are refused. It does no I/O.
//
// A commit names one dirtree and one dirmeta; a dirtree lists files and
// directories by name and checksum; a content object is a regular file or a
// symbolic link with its owner, mode and extended attributes. Commits, dirtrees
// and dirmetas are serialised GVariants, named by the SHA-256 of their bytes. A
// content object is named by the SHA-256 of a header and its content, which is
// the same however a repository stores it.
//
// Decoding trusts nothing: what is not in normal form, or breaks a rule that a
// writer keeps (names, order, checksum lengths, modes), is refused. Decoders
// keep the bytes they are given.
//
// Source: ostree, src/libostree/ostree-core.h.
package object

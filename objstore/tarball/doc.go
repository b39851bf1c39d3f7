// Package tarball turns archives into trees of a repository, and trees into
// archives.
//
// [Import] reads tar (v7, ustar, pax, GNU) and cpio (newc, crc, odc and the old
// binary form), as they are or compressed, in one pass: a large file's content
// goes straight into the repository, small ones are hashed and written side by
// side. An archive is hostile: its names are kept inside the tree, and what it
// says of sizes is not believed before the bytes are there.
//
// [Export] writes a GNU tar archive, to the byte what ostree writes, but that
// extended attributes, which that format has no place for, stand in pax headers.
//
// Source: ostree, src/libostree/ostree-repo-libarchive.c; tar(5), cpio(5) of libarchive.
package tarball

// Package compile makes static deltas: what leads from one commit, or from none, to another.
//
// All objects that the new commit needs and the old one does not are packed into parts. A file
// that resembles one of the old commit, by its name and size, is described by what it has in
// common with that, in one of two ways: as chunks that are found there (package rollsum), or as a
// patch (package bsdiff). Others go in whole, or, when they are large, are left to be fetched by
// themselves. Parts are compressed with xz.
//
// Files are read, compared and compressed on all processors. A delta becomes visible when all
// of it is written, or nothing does.
//
// Source: ostree, src/libostree/ostree-repo-static-delta-compilation.c and
// ostree-repo-static-delta-compilation-analysis.c.
package compile

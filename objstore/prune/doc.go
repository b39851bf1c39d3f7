// Package prune deletes from a repository what no commit needs that is kept.
//
// # What is kept
//
// [Options] says which commits are roots: all, those that refs name, or what is
// chosen by branch, by depth and by age. Commits that are mounted are roots, too,
// unless they are forced out: those that the caller knows of, and those that have
// a lease in the repository's lock file. A commit needs its dirtrees, their
// dirmetas and their content. Parents of a repository are read and never pruned.
//
// # Memory
//
// That of an inventory of the repository: see deployfs/objstore/reach. What is
// written after it was taken is on no list and so is never deleted.
//
// # Order
//
// Everything happens under the exclusive lock. What refs say is made durable, then
// commits are deleted, that is made durable, too, then goes what only they needed:
// directories before files. Whatever is cut off in between, no commit is left that
// lacks an object, and the next run deletes the rest. `core.fsync=false` leaves
// out what makes it durable.
//
// Source: ostree, src/libostree/ostree-repo-prune.c, src/ostree/ot-builtin-prune.c.
package prune

// Package fsck checks a repository: that refs name commits, and that every commit
// that is not partial has all that it needs, each object as its name says.
//
// # Order
//
// Refs come first, then commits, then what they need: directories, which one
// goroutine walks, then content, on all processors. Each distinct object is
// checked once. What is wrong is told in an order that depends on the repository
// alone, and with the commits that need it, which are looked for only then.
//
// # What it changes
//
// Commits that lack an object are marked as partial, so that a pull fetches what
// is absent. With [Options.Delete] corrupt objects are removed first. Both happen
// as problems are told, so that a check that is cut off has done its part.
//
// # Locks
//
// A check holds the repository's shared lock, so that nobody deletes meanwhile;
// with Delete the exclusive one. An absent object may only be on its way here in
// somebody's transaction: it counts as absent when it still is under the
// exclusive lock.
//
// # Memory
//
// That of an inventory: see deployfs/objstore/reach. Where something is wrong, it
// is 8 bytes more for each way that leads to a directory.
//
// Source: ostree, src/ostree/ot-builtin-fsck.c.
package fsck

// Package transaction writes objects and refs into a repository, so that they
// become visible together.
//
// What is written goes into a staging directory of the repository, which other
// writers know by its lock: a crash leaves there what the next transaction of the
// same boot goes on with, and what one of another boot deletes. Commit makes the
// objects durable, moves them to their places, makes these durable, and then moves
// the refs, one after the other: no ref ever leads to what is not on the disk.
//
// Where core.fsync=false or core.per-object-fsync=true say so, objects go to their
// places at once, and only files in the making are staged.
//
// Objects are written without fs-verity: a repository that only wishes for it
// (ex-fsverity.opportunistic) gets them so, and one that requires it gets none.
//
// Source: ostree, src/libostree/ostree-repo-commit.c.
package transaction

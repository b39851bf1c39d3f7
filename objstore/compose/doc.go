// Package compose makes commits.
//
// A [Request] says what a commit is made of and what it says about itself.
// [Prepare] checks it against the repository, and [Plan.Commit] carries it out in one
// transaction: sources are laid over one another in their order, the files of
// directories are hashed side by side, and nothing of it is visible before all of it
// is written.
//
// Sources that are given away are deleted when the commit is there, not before.
//
// Source: ostree-commit(1), and src/libostree/ostree-repo-commit.c for what it leaves
// open.
package compose

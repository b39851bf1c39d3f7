// Package finder finds out which remotes have refs of collections, and pulls from those that
// have the newest commits.
//
// Candidates are the remotes that are configured with a collection's id, and repositories on
// media that are mounted. What a candidate has is what its summary says. Of a commit on a medium
// the commit itself is asked, since nobody has signed the summary there.
//
// Who serves a collection's refs is not trusted for it: commits must have a signature that counts
// for the remote that is configured with the collection's id, also where that remote's own
// configuration asks for none. What comes from a medium becomes refs of that remote.
//
// Of a remote, only refs of the collection count that it is configured with. Ostree takes any
// that the summary lists, with the keys of that remote.
//
// Source: ostree, src/libostree/ostree-repo-pull.c, ostree_repo_find_remotes_async, and
// src/libostree/ostree-repo-finder.c.
package finder

// Package verify checks every object that a part of a commit needs against its
// name, reading from the repository and never through a mount.
//
// One goroutine walks the directories and checks dirtrees and dirmetas, the
// others check content. Each distinct object is checked once, under the path by
// which it was met first. What lies below a directory that can't be read is not
// known, so that it is not checked.
//
// Memory is bounded whatever the commit holds: the directories from the root
// down to where the walk is, the checksums that were met, and a buffer for each
// goroutine. When there is no more room for checksums of files, those that were
// met are forgotten, and some are checked again.
package verify

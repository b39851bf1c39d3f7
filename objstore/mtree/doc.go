// Package mtree is a directory tree in the making: what will be a commit's tree.
//
// A [Tree] holds names and checksums, never content. One that stands for a
// directory of a commit is read when somebody looks into it, and written again only
// where it was changed, so that a commit on top of a large one costs what it
// changes. A tree and those below it are used by one goroutine at a time.
package mtree

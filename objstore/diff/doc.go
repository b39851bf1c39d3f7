// Package diff says what differs between two trees, at a cost that follows the difference and not
// the trees.
//
// A directory is named by two checksums, of its entries (dirtree) and of itself (dirmeta). Where a
// checksum is the same on both sides, so is all that it stands for: [Trees] opens a directory only
// when its dirtrees differ, and merges the two sorted lists of names.
//
// # Order
//
// Changes come in the order of paths, compared part by part as bytes: a directory stands before what
// is below it, and "/a/x" before "/a-b".
package diff

// Package modify is what a commit changes of the files that it takes: owner,
// permissions and extended attributes, and which of them it leaves out.
//
// Source of the rules and of the two file formats: ostree-commit(1).
package modify

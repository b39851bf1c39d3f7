// Package mutate makes small repositories, by the real ostree, and then makes
// them hostile: it changes a commit, a dirtree, a content object or another file
// at random, as somebody would who wants its reader to fail.
//
// A change is the mode of the repository, the kind of what is changed, and two
// numbers, from which it is made again: see [Repo.Change]. Half of the changed
// objects get the name that their bytes have then, and everything that led to
// them is made to lead to the new name, up to the ref: the check of the checksum
// does not hide the reader behind it. [Repo.Undo] takes a change back.
//
// Nothing here knows the programs under test.
package mutate

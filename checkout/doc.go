// Package checkout makes a commit, or a part of it, physical files.
//
// # What comes out
//
// What `ostree checkout` makes: types, modes, owners, xattrs and times are the same, and so is whether
// a file is a hard link to its object. A file is linked where the repository keeps it just as it must
// look, which is so for bare repositories, and for bare-user and bare-user-only in [Options.User]; else
// it is cloned or copied. Empty files are always copied, so that no object runs out of links.
//
// # What is checked
//
// All metadata, and all content that is copied, is checked against its checksum before it can be seen
// under its name. A hard link costs no reading, so its content is taken as it is, as ostree takes it: a
// file system check of the repository is what finds damage there. Nothing below the destination is
// reached through a symbolic link, whoever put it there.
//
// # All or nothing
//
// A destination that is not there is made aside, in a sibling directory, and gets its name when it is
// complete; a failure, or the end of the context, leaves nothing. In a destination that is there, each
// file appears whole or not at all; a failure leaves those that were made before.
//
// # Memory and time
//
// Several goroutines fill directories, the deepest first. They hold the directories from the root to
// where they are, with a descriptor for each, and a buffer; nothing grows with the tree.
package checkout

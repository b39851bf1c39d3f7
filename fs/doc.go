// Package fs is the FUSE view of a commit's tree: it answers the kernel's
// requests from a [Source] of objects. It never mounts, forks or prints.
//
// # Caching
//
// A commit never changes, so the kernel is told to keep everything for ever:
// entries, attributes, absent names, directories, link targets and pages. OPEN,
// OPENDIR and FLUSH are refused once with ENOSYS, after which the kernel opens
// and closes without a message. With [VerifyAlways] every OPEN is answered
// instead, as that is when content is checked.
//
// # Node ids
//
// A node id is a row of a [table]: the row of its directory and its position in
// that directory's dirtree. Nothing else is remembered of an entry, so FORGET
// has nothing to do, and a row can be handed to another process. Inode numbers
// are apart from node ids: they are hashes of paths, the same at every mount.
//
// # Verification
//
// Directories, links and empty files are checked when they are looked up, other
// files when they are first read: until then their mode, owner, size and
// extended attributes are what the repository says.
//
// # Errors
//
// An object that is absent, damaged or hostile is an EIO for the file or
// directory that needs it, and one call of [Options].Report. All else stays
// readable.
//
// Source: Linux, include/uapi/linux/fuse.h; go-fuse's package fuse.
package fs

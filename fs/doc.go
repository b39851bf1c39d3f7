// Package fs is the FUSE view of a commit's tree: it answers the kernel's
// requests from a [Source] of objects. It never mounts, forks or prints.
//
// # Caching
//
// A commit never changes, so the kernel is told to keep everything for ever:
// entries, attributes, absent names, directories, link targets and pages. OPEN,
// OPENDIR and FLUSH are refused once with ENOSYS, after which the kernel opens
// and closes without a message. With [VerifyAlways] every OPEN is answered
// instead, as that is when content is checked; and with [FS.UsePassthrough],
// where the answer names the file that the kernel then reads by itself.
//
// # Directories
//
// A [dir] is read from the dirtree and the objects that it names, or, once there
// is one, from an index of the whole tree, which [FS.UseIndex] may bring at any
// time. Both give the same answers for the same node ids. What the index does
// not know is asked of the objects.
//
// # Reading ahead
//
// With an index, the small files that follow one that is read are read and
// verified before they are asked for, and held for a moment.
//
// # Node ids
//
// A node id is a row of a [table]: the row of its directory and its position in
// that directory's dirtree. Beside these it holds plain numbers: which directory
// of the index it is, or under which number the kernel has the file that backs
// it, and how often that is open. So FORGET has nothing to do, and a row means
// the same in another process. Inode numbers are apart from node ids: they are
// hashes of paths, the same at every mount.
//
// # Names
//
// A mount may show many commits: then there are directories of [Names] above
// their trees, which come and go. Here the kernel asks each time. What a name
// stands for is a node that never changes: a link that leads elsewhere is another
// node. The position of such a node is a [word], which is a record in the state;
// it is also where the kernel goes on with a list. Below the root of a commit all
// is as above.
//
// # Verification
//
// Directories, links and empty files are checked when they are looked up, or
// when the index is built; other files when they are first read: until then
// their mode, owner, size and extended attributes are what the repository says.
//
// # Errors
//
// An object that is absent, damaged or hostile is an EIO for the file or
// directory that needs it, and one call of [Options].Report. All else stays
// readable.
//
// Source: Linux, include/uapi/linux/fuse.h; go-fuse's package fuse.
package fs

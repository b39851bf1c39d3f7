// Package identity remembers the checksums of files, so that a file need not be hashed again as long
// as the kernel says that it is the one that was hashed.
//
// # What is trusted
//
// A file is known by device, inode, size, time of its last write and time of its last change (ctime),
// the times to the nanosecond. Whatever happens to a file, also to its mode, owner or xattrs, sets
// its ctime, which no program can set back. Three things must hold for that, and where one does not,
// nothing is remembered: the file system keeps ctimes itself, as local ones do; the time has
// nanoseconds, as one that was made up has not; and it lies some seconds before the hashing, so that
// no write can have been in the same tick of the clock.
//
// # File
//
// One file below a directory of the user's holds the identities of one tree: a line with the format's
// version, records of equal size in ascending order, and a CRC-32C of all. It is replaced as a whole.
// A file that is damaged, too large, or that another user could have written is not read. It is
// derived data: deleting it costs the hashing.
package identity

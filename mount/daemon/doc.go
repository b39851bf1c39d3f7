// Package daemon is a mount's server: the process that serves a commit at a
// mountpoint, what it tells about itself, and how it goes on where another has
// ended. The [keeper] starts it, and what is worth keeping is there.
//
// # Starting
//
// [Start] has a keeper launched, and waits until the tree can be used, or for the
// reason why not. [Serve] is what the server does. The first one of a mount makes
// it: everything that can be wrong is found before anything is mounted:
// repository, commit, signature, root directory, mountpoint. Those after it read
// nothing from the repository but its configuration, as nothing else must be
// there any more.
//
// # Ending
//
// A server ends when its mount is taken away. Told to end by SIGTERM or SIGINT, it
// has the keeper take the mount away; nothing stays behind. Meanwhile keeper and
// server hold the repository's shared lock, so that `ostree prune` waits.
//
// # Confinement
//
// Once the tree is mounted, the server gives up what it will not need any more;
// see [deployfs/mount/confine]. It keeps:
//
//   - to read: the repository and its parents
//   - to write: the cache directory, REPO/deployfs, where indexes are, the lock
//     file, for the index builder, and /dev/null
//   - to run: itself, as the index builder, which is confined in the same way
//   - of what comes over HTTP: sockets of IPv4 and IPv6, and the files that say how
//     names of hosts are looked up
//   - of capabilities, as root: CAP_DAC_READ_SEARCH, and CAP_SYS_ADMIN for a
//     bare repository
//
// A server of a commit on another server fetches objects by itself, see
// [deployfs/objstore/lazy]. What it is to put into a repository, where that takes rights
// that it has not, a process does that it has started before.
//
// So it can't unmount, nor register files for passthrough, nor connect to the
// system's log once more when that closes its end: the keeper does that.
//
// [keeper]: deployfs/mount/keeper
package daemon

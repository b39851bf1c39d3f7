// Package daemon is the life of a mount: the process that serves a commit at a
// mountpoint, how it is started, what it tells about itself, and how it ends.
//
// # Starting
//
// [Start] runs the program again, detached, and waits until that process says
// on a pipe that the tree can be used, or why not. [Serve] is what runs there,
// or in the foreground. Everything that can be wrong is found before anything
// is mounted: repository, commit, root directory, mountpoint.
//
// # Ending
//
// A server ends when its mount is taken away, or takes the mount away when it
// is told to end by SIGTERM or SIGINT; nothing stays behind. While it lives it
// holds the repository's shared lock, so that `ostree prune` waits.
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
//   - of capabilities, as root: CAP_DAC_READ_SEARCH, and CAP_SYS_ADMIN for a
//     bare repository
//
// So it can't unmount, nor register files for passthrough, nor connect to the
// system's log once more when that closes its end.
//
// # State
//
// Each server listens on a socket in the runtime directory, /run/deployfs for
// root, and answers with its [Status]. A socket whose server is gone is removed
// by whoever finds it.
package daemon

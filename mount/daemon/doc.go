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
// # State
//
// Each server listens on a socket in the runtime directory, /run/deployfs for
// root, and answers with its [Status]. A socket whose server is gone is removed
// by whoever finds it.
package daemon

// Package mount is everything that touches mount(2), and nothing else: it
// attaches FUSE connections and overlays to directories, takes them away
// again, and reads the kernel's mount table. It knows no repository and no
// FUSE protocol, and can be used by any program.
//
// # Terms
//
// A target is the directory that a filesystem is attached to. A connection is
// what the kernel and a FUSE server speak over; it lives as long as a
// /dev/fuse descriptor or the mount is held. An overlay is a writable layer
// (overlayfs) over a read-only directory, its lower directory; what is written
// goes to the upper directory.
//
// # Privilege
//
// With CAP_SYS_ADMIN the system calls are made directly. Without it, FUSE and
// Unmount go through the setuid helper fusermount3 (or its older form
// fusermount), which adds rules of its own: the mount is always nosuid and
// nodev, the target must belong to the user, and allow_other must be permitted
// in /etc/fuse.conf. Overlays need privilege.
//
// # Dead servers
//
// A FUSE mount whose server hangs blocks whoever asks it anything. No function
// here asks a mounted FUSE filesystem something that it could not do without,
// so that a hanging mount can still be named, listed and unmounted.
//
// See mount(2), fuse(4), fusermount3(1), proc_pid_mountinfo(5), and the
// kernel's filesystems/fuse.rst and filesystems/overlayfs.rst.
package mount

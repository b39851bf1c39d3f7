// Command bench measures what a mount costs beside a hardlink checkout of the same commit, on the
// same disk and in the same run, and prints one table.
//
//	go run ./bench [-n ROUNDS] [-cold=false] [-json] [-dir DIR] [-deployfs PATH]
//
// It needs root, the real ostree and /dev/fuse. Trees, repository, checkouts and mounts live in a
// work directory below DIR, which is removed afterwards, and in a mount namespace of their own.
//
// # Method
//
// Every question is asked of one peer after the other, round by round (A B A B ...), so that a busy
// machine is busy for both. The first round is not counted. Of the others the median is shown, with
// the smallest and the largest value. The figure that travels from machine to machine is the ratio.
//
// Whole commands (mount, checkout) are timed from start to exit. Walks and reads are made by this
// process itself, on one thread and with the garbage collector off: a process for each would add its
// start to both sides, while what the kernel caches is the same for every process. What was cached
// is decided between measurements, by dropping caches, never by the process.
//
// "cold2" is after `echo 2 >/proc/sys/vm/drop_caches`: dentries and inodes are gone. "cold3" is after
// `sync; echo 3`: pages are gone, too; a virtual disk may still lie in its host's cache.
package main

// Command bench measures what a mount costs beside a hardlink checkout of the same commit, and beside
// other filesystems that hold the same tree, on the same disk and in the same run. It prints one table.
//
//	go run ./bench [-n ROUNDS] [-quick] [-only REGEXP] [-sizes N,N,N] [-cold=false] [-json FILE] [-readme FILE]
//	               [-dir DIR] [-deployfs PATH]
//
// It needs root, the real ostree and /dev/fuse. The other peers are EROFS, squashfs and squashfuse, from
// Debian's packages (setup.sh); one that is not there is called absent. Trees, repositories, images,
// checkouts and mounts live in a work directory below DIR, which is removed afterwards, and in a mount
// namespace of their own. They are made when a question first needs them.
//
// # Trees
//
// Each tree looks like a /usr: seven percent directories, six percent symbolic links, files of 9 KB on
// average with no two contents alike. The largest tree of at most 100,000 entries is the main one, which
// most questions are about. It also has a large file, the program under test, a dynamic program with its
// libraries, and Go sources. Trees above that size have tiny files (1 KB on average) and are asked only
// what a tree of that size can answer: mounting, building the index, one walk, and memory. Each tree has
// a bare repository of its own, whose files the checkouts share; the main one's bare-user and archive
// repositories lack the large file.
//
// # Method
//
// Every question is asked of one peer after the other, round by round (A B A B ...), so that a busy
// machine is busy for all. Each question begins with empty caches, and its first round is not counted.
// Of the others the median is shown, with the smallest and the largest value. The figure that travels
// from machine to machine is the ratio to the checkout. A peer that would take more than 25 seconds for
// a question gets fewer rounds, and the table says how many (3×). What is cold may then be asked once
// only, and counts.
//
// Whole commands (mount, checkout, tar, ls, gofmt) are timed from start to exit. Walks and reads are
// made by this process itself, with the garbage collector off: a process for each would add its start
// to all sides, while what the kernel caches is the same for every process. What was cached is decided
// between measurements, by dropping caches, never by the process.
//
// "cold2" is after `echo 2 >/proc/sys/vm/drop_caches`: dentries and inodes are gone. "cold3" is after
// `sync; echo 3`: pages are gone, too; a virtual disk may still lie in its host's cache.
//
// # Diff and log
//
// Two questions are not about a mount: what differs between a commit and another in which one file has
// changed, and which of 2,000 commits changed a file, while each of them changes another one. In the
// checkout's column stand `ostree diff`, and `ostree log`, which lists all 2,000 and looks at no path;
// under requests stands how many objects strace has seen deployfs open.
//
// # The wire
//
// A web server, nginx, runs in a network namespace of its own and serves the main tree's archive. It is near at
// one address, and at another as far as a line that takes 10 ms each way: a TUN device whose other end is this
// program, which keeps every packet for so long. Both programs pull from it into new repositories, unsigned
// and without static deltas. What the far line takes is minutes for ostree, so that one answer has to do. A
// mount of what is on the server, and a look at the largest directory through it, stands beside a pull of
// everything, in time and in bytes that the server has sent.
//
// A static delta leads to a commit in which a fortieth of the files and one big program are others: most have a
// few bytes changed and some added, each fourth is new. Both programs make one from the archive, in one
// file; both apply the one that ostree has made.
//
// # Mounts of deployfs
//
// "default" is a mount without options, which has found a complete index before it is measured (in rows
// about mounting it need not have). "no index" is one with --no-index, "cached" and "passthrough" are
// those of --data. In brackets stands what the server says about itself. Each mount has an empty cache
// directory. An option that the program under test does not have makes its rows absent.
package main

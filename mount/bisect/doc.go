// Package bisect searches a history for the first bad commit, with the commit
// that is tested mounted. Which one that is, deployfs/objstore/halving knows.
//
// # What is kept
//
// A search has a directory of its own, one for each repository, below the user's
// state directory. In it are state, which says what was marked and what is being
// tested; lock, which one process holds that changes this; and, unless another
// place was named, mnt, where commits are mounted. State is replaced as a whole,
// after the mount of the last commit is gone and before the next one is mounted:
// whenever a search is cut off, [Session.Mount] goes on with it, after a reboot as
// well, and no other commit is taken for the one that is being tested. The line of
// commits is read from the repository again.
//
// # Ending
//
// [Reset] takes the mount away, then the state, then the rest: cut off in
// between, it can be done again.
package bisect

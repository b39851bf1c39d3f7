// Package history follows commits back through their parents and tells what
// happened to paths on the way: which commits changed them, which was the last
// to change each entry of a directory, and which hold an object or a name.
//
// A commit has one parent or none, so a history is a line, newest first. Its end
// is a commit without a parent, or one whose parent the repository does not
// hold: then it is shallow, and [ErrShallow] says so once all has been visited.
// To everything here the last commit of a shallow history made all that it holds.
//
// Only commits and dirtrees are read. Between a commit and its parent those
// dirtrees are, at most, that lie on the way to a path and differ.
package history

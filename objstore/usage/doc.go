// Package usage tells how much of a repository's disk commits and refs take, and
// what of it is theirs alone.
//
// # What is counted
//
// Objects of the repository itself, each once: commits, dirtrees, dirmetas,
// content, payload links. Their size on the disk is that of the blocks that are
// allocated, as du(1) counts it. What a parent repository holds takes nothing
// here.
//
// # How
//
// Every object gets a set of colours: one for each ref from which it can be
// reached (or each commit that is asked about), and some of other meaning. First
// everything is walked once, and the ways that lead to each dirtree are counted.
// Then colours spread, from commits to their parents and trees, and from a
// directory to what is in it once all the ways to it have been followed. So each
// commit is read once and each dirtree twice, whatever the number of refs.
//
// # Memory
//
// That of an inventory (see deployfs/objstore/reach), four bytes for each object,
// and the sets of colours that occur, each once.
package usage

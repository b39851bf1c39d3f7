// Package pull takes commits over from another repository, with all that they need:
// from one of the same machine, which is read as it is, or from one behind a server, of
// which each file is fetched.
//
// Each commit is marked as partial before it is there, and the mark goes when all
// of it is durable. So a pull that was cut off shows as what it is, and the next one
// goes on with what it has staged. Refs move last.
//
// What comes is judged before it is written: a commit by its checksum, its signature, the
// refs that it is made for and its time; other metadata by its checksum; content while it
// is written, before it gets a name. No answer of a server is larger than is allowed.
//
// A commit that is held and not partial is not walked again: its detached metadata
// alone is taken over anew, since signatures may have come.
//
// Which commits refs mean is what the other repository's summary says, when it has
// one, even an old one: so does ostree.
//
// # Speed and memory
//
// A crew of fixed size takes over one object after the other, directories first and level
// by level. Files wait in the directories that list them, of which a bounded number is held.
// What grows with a tree is which of its directories were seen.
//
// Where a static delta leads to a commit, it is chosen as ostree chooses it; what the delta
// needs and the repository lacks is fetched object by object then.
//
// Source: ostree, src/libostree/ostree-repo-pull.c.
package pull

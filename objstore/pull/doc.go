// Package pull takes commits over from another repository of the same machine,
// with all that they need.
//
// Each commit is marked as partial before it is there, and the mark goes when all
// of it is durable. So a pull that was cut off shows as what it is, and the next one
// goes on with what it has staged. Refs move last.
//
// A commit that is held and not partial is not walked again: its detached metadata
// alone is taken over anew, since signatures may have come.
//
// Which commits refs mean is what the other repository's summary says, when it has
// one, even an old one: so does ostree.
//
// Source: ostree, src/libostree/ostree-repo-pull.c.
package pull

// Package lazy reads a repository that is on a server as if it were here: what is looked
// at is fetched, checked against its name, and kept.
//
// # What is kept
//
// A [Cache] is an archive repository of its own, which all processes of a user share. An
// object gets its name there when it is whole and verified. Of content that was only
// looked at, the header is kept beside it. What was used least recently goes when there
// is too much. Nothing in it is believed unseen: metadata that is not what its name says is
// fetched again, content is checked by who reads it.
//
// # Headers
//
// Size, mode, owner and xattrs of a file stand at the beginning of its object, which is all
// that is fetched for them. Such a header can't be verified by itself: that takes the
// content. So a server may lie about it, until the file is read: then the whole object has
// to have that same header, or it is refused, also by those who come later, as long as
// they may have seen the lie; see [Options].Since. Objects that are as small as what is
// fetched for a header are whole, and verified at once.
//
// # What servers say
//
// Headers and detached metadata, which no checksum covers, are kept for each server by itself:
// what one says is nothing to who asks another.
//
// # Reading ahead
//
// A request takes as long as the way to the server and back. Who goes through a directory
// has the headers, dirtrees and dirmetas of what follows fetched meanwhile, more of them the
// longer it goes on.
//
// # Outages
//
// While the server does not answer, what is here can be read. For what is not, a request is
// tried again for some time; then those that come after it fail at once with an [OutageError],
// but for one a second that asks whether the server is back.
package lazy

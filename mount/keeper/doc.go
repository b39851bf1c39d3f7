// Package keeper keeps a mount alive while its servers come and go.
//
// A keeper is a small process that holds what must not be lost: the descriptor
// of the FUSE connection, the state that all servers of the mount share, the
// repository's lock, the index in use. It starts the server, the process that
// answers the kernel. When that dies, by whatever means, the keeper starts
// another, which goes on where the first was; readers wait meanwhile. To upgrade,
// it starts the new program beside the old one and lets it take over; then it
// becomes the new program itself, under its old process number.
//
// It does what a confined server may not do: it gives files to the kernel for
// passthrough, and takes the mount away in the end. It parses nothing that comes
// from a repository.
//
// Keeper and server talk over a socket pair, in datagrams of JSON with
// descriptors; see [message]. Others reach them over the control socket, on which
// the keeper listens; questions about the mount are passed on to the server.
//
// When the keeper dies the server goes on without it. When both die, the mount
// is dead (ENOTCONN).
package keeper

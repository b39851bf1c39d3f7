// Package summary reads and writes summaries: the file at the top of a repository
// that lists its refs, so that who pulls need not list directories.
//
// A summary is an (a(s(taya{sv}))a{sv}): refs, sorted by name, each with its commit
// and the size of that, and metadata. Refs of other collections than the
// repository's own are in the metadata. A signature is a file beside it, an a{sv}
// over the summary's bytes.
//
// Source: ostree, src/libostree/ostree-repo.c, regenerate_metadata.
package summary

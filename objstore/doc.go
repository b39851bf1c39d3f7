// Package objstore reads OSTree repositories: configuration, refs and objects,
// in every repository mode, with parent repositories.
//
// # Verification
//
// An object's name is the checksum of what it means. [Repo.Metadata] and the
// typed readers above it check it; [Repo.ReadMetadata] hands out the bytes as
// they are, for callers with a policy of their own. [Content] is a reader that
// fails at its end when the content is not what the name says.
//
// # Hostile repositories
//
// Object files are opened without following symbolic links and must be regular
// files (in bare modes also symbolic links, which are read, never followed).
// Sizes are bounded, refs never lead out of the repository.
//
// Source: ostree, src/libostree/ostree-repo.c.
package objstore

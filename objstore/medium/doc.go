// Package medium keeps repositories on media that are carried from one machine to
// another, such as USB sticks.
//
// On a medium others look for repositories in .ostree/repos.d, whose entries are
// repositories or symbolic links to them, in .ostree/repo, in ostree/repo and in
// var/lib/flatpak/repo.
//
// Whoever has made a medium is not trusted: no path and no symbolic link leads out
// of it, neither to a repository nor to what this consists of, and its repositories
// have no parents. What is in them is for who takes it over to verify.
//
// Source: ostree, src/ostree/ot-builtin-create-usb.c and
// src/libostree/ostree-repo-finder-mount.c.
package medium

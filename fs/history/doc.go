// Package history arranges the commits of a repository as directories:
//
//	commits/CHECKSUM/                the tree of a commit
//	commits/.commit/CHECKSUM/        what is told of it beside that: see [facts]
//	refs/REF                         links to the trees of refs' commits
//	remotes/REMOTE/REF
//	mirrors/COLLECTION/REF
//	by-date/YYYY/MM/DD/HHMMSS-SHORT  in UTC; by-date/latest is the newest commit
//	by-version/REF/VERSION           in a ref's history; "latest" is the ref's commit
//
// Whereever there are links to trees there is a directory .commit, in which the
// same names lead to the facts. No ref, date or version is called so.
//
// Nothing is held that was not asked for. Names are looked up each time, so that
// they come and go with what they stand for; a link to a commit that the
// repository does not hold is not there.
//
// The names of a directory are known by its path; the tree of a commit is none of
// them: package fs shows it.
package history

package finder

import (
	"cmp"

	"deployfs/objstore/object"
	"deployfs/objstore/refs"
)

// Result is a remote that has the newest commit of some of the refs.
type Result struct {
	Kind         Kind
	URL          string
	Remote       string // that is configured, whose keys count, and whose refs they become
	Keyring      string // the file with these keys
	Priority     int    // smaller is better
	LastModified uint64 // of the summary, in seconds since 1970; 0 is unknown
	Refs         []Ref  // all that were asked for, in that order

	name   string // by which ostree knows it
	source source
}

// Ref is what a remote has of a ref.
type Ref struct {
	refs.Name
	Commit    object.Checksum // zero where the remote has none, or another has a newer one
	Timestamp uint64          // of the commit, in seconds since 1970; 0 is unknown
}

// has is how many of the refs the remote has.
func (r *Result) has() (n int) {
	for _, ref := range r.Refs {
		if !ref.Commit.IsZero() {
			n++
		}
	}
	return n
}

// order compares remotes as ostree does: the better one comes first. That of two with the same
// priority the summary that is older is better, and who has fewer refs, is ostree's idea.
func order(a, b Result) int {
	older := 0
	if a.LastModified != 0 && b.LastModified != 0 {
		older = cmp.Compare(a.LastModified, b.LastModified)
	}
	return cmp.Or(cmp.Compare(a.Priority, b.Priority), older, cmp.Compare(a.has(), b.has()), cmp.Compare(a.name, b.name))
}

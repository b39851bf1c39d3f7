package finder

import (
	"strings"

	"deployfs/objstore/refs"
	"deployfs/objstore/remote"
)

// collectionOf is the id of the collection that a remote is configured with, or "".
func collectionOf(remotes *remote.List, name string) string {
	id, _, err := remotes.Option(name, "collection-id")
	if err != nil || refs.CheckCollection(id) != nil {
		return ""
	}
	return id
}

// keyringFor is the remote whose keys count for a collection: the first that is configured with
// its id, or "".
func keyringFor(remotes *remote.List, collection string) string {
	for _, name := range remotes.Names() {
		if collectionOf(remotes, name) == collection {
			return name
		}
	}
	return ""
}

// escape makes text a part of a remote's name, as ostree does, which sorts by these names.
func escape(text string) string {
	const digits = "0123456789ABCDEF"
	var out strings.Builder
	for i := range len(text) {
		switch c := text[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-._~", c) >= 0:
			out.WriteByte(c)
		default:
			out.Write([]byte{'_', digits[c>>4], digits[c&15]})
		}
	}
	return out.String()
}

package prune

import (
	"deployfs/objstore"
	"deployfs/objstore/object"
)

// LinkTarget is the content that a payload link leads to; false when that is not
// there, or not so large that the repository's configuration wants a link for it.
// A link is kept with its target, and deleted when it has none.
func LinkTarget(repo *objstore.Repo, link object.Name) (target object.Name, ok bool) {
	if target, ok = objstore.PayloadLink(repo.ObjectFile(link)); !ok {
		return target, false
	}
	size, err := sizeOf(repo.ObjectFile(target))
	return target, err == nil && size >= repo.PayloadLinkThreshold()
}

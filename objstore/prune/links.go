package prune

import (
	"math"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
	"deployfs/objstore/object"
)

// LinkTarget is the content that a payload link leads to; false when that is not
// there, or not so large that the repository's configuration wants a link for it.
// A link is kept with its target, and deleted when it has none.
func LinkTarget(repo *objstore.Repo, link object.Name) (target object.Name, ok bool) {
	objects, path := repo.ObjectFile(link)
	text := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(int(objects.Fd()), path, text)
	if err != nil {
		return target, false
	}
	digits, isFile := strings.CutSuffix(strings.TrimPrefix(string(text[:n]), "../"), ".file")
	sum, err := object.ParseChecksum(strings.Replace(digits, "/", "", 1))
	if err != nil || !isFile {
		return target, false
	}
	target = object.Name{Checksum: sum, Kind: object.KindFile}
	objects, path = repo.ObjectFile(target)
	size, err := sizeOf(objects, path)
	return target, err == nil && size >= linkThreshold(repo)
}

// linkThreshold is from which size on content gets payload links: none by default.
func linkThreshold(repo *objstore.Repo) uint64 {
	text, _ := repo.Config().Get("core", "payload-link-threshold")
	if n, err := strconv.ParseUint(text, 10, 64); err == nil {
		return n
	}
	return math.MaxUint64
}

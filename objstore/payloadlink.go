package objstore

import (
	"math"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"deployfs/objstore/object"
)

// PayloadLink is the content object that a payload link below a directory of
// objects names; false when there is no link that names one.
func PayloadLink(objects *os.File, path string) (target object.Name, ok bool) {
	text := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(int(objects.Fd()), path, text)
	if err != nil {
		return target, false
	}
	digits, isFile := strings.CutSuffix(strings.TrimPrefix(string(text[:n]), "../"), ".file")
	sum, err := object.ParseChecksum(strings.Replace(digits, "/", "", 1))
	return object.Name{Checksum: sum, Kind: object.KindFile}, err == nil && isFile
}

// PayloadLinkThreshold is from how many bytes on content gets payload links: none
// does by default.
func (r *Repo) PayloadLinkThreshold() uint64 {
	text, _ := r.config.Get("core", "payload-link-threshold")
	if n, err := strconv.ParseUint(text, 10, 64); err == nil {
		return n
	}
	return math.MaxUint64
}

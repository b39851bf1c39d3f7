package history

import (
	"strings"

	"deployfs/objstore/object"
)

// maxText bounds the texts of a [Brief], in bytes; a commit may have megabytes of them.
const maxText = 400

// Brief is what lists tell of a commit. Unlike the commit it is small.
type Brief struct {
	Checksum  object.Checksum
	Timestamp uint64 // seconds since 1970, UTC
	Version   string // what its metadata calls version; "" without
	Subject   string // its first line
}

// NewBrief takes a commit's facts, long texts cut short.
func NewBrief(c Commit) Brief {
	b := Brief{Checksum: c.Checksum, Timestamp: c.Timestamp}
	if v, ok := c.Metadata.Lookup("version"); ok && v.Type() == "s" {
		b.Version = cut(v.Str())
	}
	line, _, _ := strings.Cut(c.Subject, "\n")
	b.Subject = cut(line)
	return b
}

// cut copies the beginning of a text, so that the rest can be forgotten.
func cut(text string) string {
	if len(text) > maxText {
		text = strings.ToValidUTF8(text[:maxText], "") + "…"
	}
	return strings.Clone(text)
}

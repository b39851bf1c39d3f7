// Package facts tells what is known of a commit beside its tree, in a form for
// JSON: its own fields, its metadata and what was added to it since.
package facts

import (
	"time"

	"deployfs/objstore"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
)

// Time is the commit's time in UTC; false outside the years 1 to 9999.
func Time(c object.Commit) (time.Time, bool) {
	t := time.Unix(int64(c.Timestamp), 0).UTC()
	return t, t.Year() >= 1 && t.Year() <= 9999
}

// Version is what the commit's metadata calls its version, if anything.
func Version(c object.Commit) (string, bool) {
	if v, ok := c.Metadata.Lookup("version"); ok && v.Type() == "s" {
		return v.Str(), true
	}
	return "", false
}

// Commit is a commit in JSON. Its form is a promise to scripts: names stay.
type Commit struct {
	Type             string         `json:"type"` // "commit"
	Checksum         string         `json:"checksum"`
	Parent           string         `json:"parent,omitempty"`
	ContentChecksum  string         `json:"content_checksum"`
	Timestamp        uint64         `json:"timestamp"`
	Date             string         `json:"date,omitempty"` // RFC 3339, UTC
	Version          string         `json:"version,omitempty"`
	Subject          string         `json:"subject"`
	Body             string         `json:"body,omitempty"`
	Tree             string         `json:"dirtree"`
	Meta             string         `json:"dirmeta"`
	Partial          bool           `json:"partial,omitempty"` // some objects may be absent
	Metadata         map[string]any `json:"metadata"`
	DetachedMetadata map[string]any `json:"detached_metadata,omitempty"`
	Signatures       []GPGSignature `json:"signatures,omitempty"`
	OtherSignatures  []Signature    `json:"other_signatures,omitempty"` // of other schemes, where they were checked
}

// Of reads what is known of a commit: c is its object.
func Of(repo *objstore.Repo, sum object.Checksum, c object.Commit) (Commit, error) {
	return of(repo, sum, c, Dict)
}

// Brief is the same, but for metadata, which is cut as [Cut] does.
func Brief(repo *objstore.Repo, sum object.Checksum, c object.Commit, limit int) (Commit, error) {
	return of(repo, sum, c, func(v gvariant.Value) map[string]any { return Cut(v, limit) })
}

func of(repo *objstore.Repo, sum object.Checksum, c object.Commit, dict func(gvariant.Value) map[string]any) (Commit, error) {
	j := Commit{
		Type: "commit", Checksum: sum.String(), ContentChecksum: c.ContentChecksum().String(),
		Timestamp: c.Timestamp, Subject: c.Subject, Body: c.Body,
		Tree: c.Root.String(), Meta: c.RootMeta.String(), Partial: repo.IsPartial(sum),
		Metadata: dict(c.Metadata),
	}
	if !c.Parent.IsZero() {
		j.Parent = c.Parent.String()
	}
	if date, ok := Time(c); ok {
		j.Date = date.Format(time.RFC3339)
	}
	j.Version, _ = Version(c)
	detached, ok, err := repo.CommitMeta(sum)
	if err != nil || !ok {
		return j, err
	}
	j.DetachedMetadata = dict(detached)
	j.Signatures = GPGSignatures(detached)
	return j, nil
}

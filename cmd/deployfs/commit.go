package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"deployfs/cmd/internal/cli"
	"deployfs/objstore"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
)

// printCommit prints a commit as show and log do.
func printCommit(w io.Writer, c object.Commit) error {
	date, ok := commitTime(c)
	if !ok {
		return cli.Words(fmt.Sprintf("Failed to read commit: Invalid timestamp: %d", c.Timestamp))
	}
	var b strings.Builder
	if !c.Parent.IsZero() {
		fmt.Fprintf(&b, "Parent:  %s\n", c.Parent)
	}
	fmt.Fprintf(&b, "ContentChecksum:  %s\n", c.ContentChecksum())
	fmt.Fprintf(&b, "Date:  %s\n", date.Format("2006-01-02 15:04:05 +0000"))
	if version, ok := commitVersion(c); ok {
		fmt.Fprintf(&b, "Version: %s\n", version)
	}
	if c.Subject == "" {
		b.WriteString("(no subject)\n")
	} else {
		b.WriteString("\n" + indented(c.Subject))
	}
	if c.Body != "" {
		b.WriteString("\n" + indented(c.Body))
	}
	b.WriteString("\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// indented puts four blanks before each line of text, and ends the last one.
func indented(text string) string {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	return "    " + strings.Join(lines, "\n    ") + "\n"
}

// commitTime is the commit's time in UTC; false outside the years 1 to 9999.
func commitTime(c object.Commit) (time.Time, bool) {
	t := time.Unix(int64(c.Timestamp), 0).UTC()
	return t, t.Year() >= 1 && t.Year() <= 9999
}

func commitVersion(c object.Commit) (string, bool) {
	if v, ok := c.Metadata.Lookup("version"); ok && v.Type() == "s" {
		return v.Str(), true
	}
	return "", false
}

// commitJSON is a commit in JSON.
type commitJSON struct {
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
	Signatures       []signature    `json:"signatures,omitempty"`
}

func newCommitJSON(repo *objstore.Repo, sum object.Checksum, c object.Commit) (commitJSON, error) {
	j := commitJSON{
		Type: "commit", Checksum: sum.String(), ContentChecksum: c.ContentChecksum().String(),
		Timestamp: c.Timestamp, Subject: c.Subject, Body: c.Body,
		Tree: c.Root.String(), Meta: c.RootMeta.String(), Partial: repo.IsPartial(sum),
		Metadata: jsonDict(c.Metadata),
	}
	if !c.Parent.IsZero() {
		j.Parent = c.Parent.String()
	}
	if date, ok := commitTime(c); ok {
		j.Date = date.Format(time.RFC3339)
	}
	j.Version, _ = commitVersion(c)
	detached, ok, err := repo.CommitMeta(sum)
	if err != nil || !ok {
		return j, err
	}
	j.DetachedMetadata = jsonDict(detached)
	j.Signatures = gpgSignatures(detached)
	return j, nil
}

// jsonDict is an a{sv} in JSON.
func jsonDict(v gvariant.Value) map[string]any {
	dict := make(map[string]any, v.Len())
	for i := range v.Len() {
		dict[v.At(i).At(0).Str()] = jsonValue(v.At(i).At(1))
	}
	return dict
}

// jsonValue is a GVariant in JSON: numbers in the byte order in which they are stored on this
// machine, strings, booleans, arrays and tuples as arrays, ay as base64, dictionaries with text
// keys as objects, nothing as null. What has no counterpart is GLib's text form.
func jsonValue(v gvariant.Value) any {
	switch typ := v.Type(); {
	case typ == "v":
		return jsonValue(v.Variant())
	case typ == "ay":
		return v.ByteString()
	case typ == "b":
		return v.Bool()
	case typ == "y":
		return v.Byte()
	case typ == "u":
		return v.Uint32()
	case typ == "t":
		return v.Uint64()
	case typ == "i":
		return int32(v.Uint32())
	case typ == "x":
		return int64(v.Uint64())
	case typ == "s", typ == "o", typ == "g":
		return v.Str()
	case typ == "a{sv}":
		return jsonDict(v)
	case typ[0] == 'm' && v.Len() == 0:
		return nil
	case typ[0] == 'm':
		return jsonValue(v.At(0))
	case typ[0] == 'a', typ[0] == '(', typ[0] == '{':
		list := make([]any, v.Len())
		for i := range list {
			list[i] = jsonValue(v.At(i))
		}
		return list
	}
	return gvariant.Print(v, true, false)
}

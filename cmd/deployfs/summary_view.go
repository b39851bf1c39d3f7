package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/bits"
	"strings"
	"time"

	"deployfs/cmd/internal/cli"
	"deployfs/objstore"
	"deployfs/objstore/facts"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/summary"
)

// viewSummary prints a summary for people.
func viewSummary(inv *cli.Invocation, s *summary.Summary) error {
	if inv.JSON {
		return cli.WriteJSON(inv.Stdout, newSummaryJSON(s))
	}
	printSummaryRefs(inv.Stdout, s.Collection(), s.Refs())
	for id, list := range s.Collections() {
		printSummaryRefs(inv.Stdout, id, list)
	}
	for i := range s.Metadata().Len() {
		entry := s.Metadata().At(i)
		key, v := entry.At(0).Str(), entry.At(1).Variant()
		text, title := summaryLine(key, v)
		if title != "" {
			key = title + " (" + key + ")"
		}
		fmt.Fprintf(inv.Stdout, "%s: %s\n", key, text)
	}
	return nil
}

// viewSignatures tells what the summary's signatures are worth. Older versions of ostree do not,
// so it is not for output in its place.
func (o *summaryOptions) viewSignatures(inv *cli.Invocation, repo *objstore.Repo, s *summary.Summary) error {
	if inv.Program.Terse {
		return nil
	}
	meta, signed, err := summarySignatures(repo)
	if err != nil {
		return err
	}
	if !signed {
		_, err = fmt.Fprintln(inv.Stdout, "Summary is unsigned")
		return err
	}
	var text strings.Builder
	shower := newShower(repo, inv)
	shower.gpgHome, shower.out = o.gpgHome, &text
	err = shower.printVerdicts("Found %s on the summary:", s.Value().Bytes(), meta)
	if text.Len() > 0 {
		fmt.Fprint(inv.Stdout, "\n"+text.String())
	}
	return err
}

// viewJSON tells of a summary in JSON, and what its signatures are worth.
func (o *summaryOptions) viewJSON(inv *cli.Invocation, repo *objstore.Repo, s *summary.Summary) error {
	j := newSummaryJSON(s)
	meta, signed, err := summarySignatures(repo)
	if err != nil {
		return err
	}
	if signed {
		shower := newShower(repo, inv)
		shower.gpgHome = o.gpgHome
		if j.Signatures, j.OtherSignatures, err = shower.verdictsJSON(s.Value().Bytes(), meta); err != nil {
			return err
		}
	}
	return cli.WriteJSON(inv.Stdout, j)
}

// summarySignatures are what is in summary.sig, an a{sv}; false when it is not there.
func summarySignatures(repo *objstore.Repo) (gvariant.Value, bool, error) {
	data, err := repo.ReadFile("summary.sig", summary.MaxSize)
	if errors.Is(err, fs.ErrNotExist) {
		return gvariant.Value{}, false, nil
	}
	if err != nil {
		return gvariant.Value{}, false, err
	}
	meta, err := gvariant.Parse("a{sv}", data)
	if err != nil {
		return meta, false, fmt.Errorf("summary.sig: %w", err)
	}
	return meta, true, nil
}

func printSummaryRefs(w io.Writer, collection string, list summary.Refs) {
	for i := range list.Len() {
		ref := list.At(i)
		if collection == "" {
			fmt.Fprintf(w, "* %s\n", ref.Name)
		} else {
			fmt.Fprintf(w, "* (%s, %s)\n", collection, ref.Name)
		}
		fmt.Fprintf(w, "    Latest Commit (%s):\n      %s\n", objstore.FormatSize(ref.Size), ref.Commit)
		for j := range ref.Metadata.Len() {
			key, v := ref.Metadata.At(j).At(0).Str(), ref.Metadata.At(j).At(1).Variant()
			switch {
			case key == "ostree.commit.timestamp" && v.Type() == "t":
				fmt.Fprintf(w, "    Timestamp (%s): %s\n", key, secondsText(v))
			case key == "ostree.commit.version" && v.Type() == "s":
				fmt.Fprintf(w, "    Version (%s): %s\n", key, v.Str())
			default:
				fmt.Fprintf(w, "    %s: %s\n", key, gvariant.Print(v, false, false))
			}
		}
		fmt.Fprintln(w)
	}
}

// summaryLine is how metadata reads, and what it is called, if it has a name.
func summaryLine(key string, v gvariant.Value) (text, title string) {
	switch key + " " + v.Type() {
	case "ostree.static-deltas a{sv}":
		title = "Static Deltas"
	case "ostree.summary.last-modified t":
		return secondsText(v), "Last-Modified"
	case "ostree.summary.expires t":
		return secondsText(v), "Expires"
	case "ostree.summary.collection-id s":
		return v.Str(), "Collection ID"
	case "ostree.summary.collection-map a{sa(s(taya{sv}))}":
		return "(printed above)", "Collection Map"
	case "ostree.summary.mode s":
		if _, err := objstore.ParseMode(v.Str()); err != nil {
			return "Invalid (‘" + v.Str() + "’)", "Repository Mode"
		}
		return v.Str(), "Repository Mode"
	case "ostree.summary.tombstone-commits b":
		if v.Bool() {
			return "Yes", "Has Tombstone Commits"
		}
		return "No", "Has Tombstone Commits"
	}
	return gvariant.Print(v, false, false), title
}

// secondsText is a time, a big-endian t of seconds since 1970, with the shortest form of its zone.
func secondsText(v gvariant.Value) string {
	seconds := int64(bits.ReverseBytes64(v.Uint64()))
	at := time.Unix(seconds, 0)
	if seconds < -62135596800 || seconds > 253402300799 {
		return "invalid"
	}
	zone := "-07"
	switch _, offset := at.Zone(); {
	case offset%60 != 0:
		zone = "-07:00:00"
	case offset%3600 != 0:
		zone = "-07:00"
	}
	return at.Format("2006-01-02T15:04:05" + zone)
}

// summaryJSON is a summary in JSON.
type summaryJSON struct {
	Collection      string               `json:"collection,omitempty"`
	Mode            string               `json:"mode,omitempty"`
	LastModified    *uint64              `json:"last_modified,omitempty"` // seconds since 1970
	Expires         *uint64              `json:"expires,omitempty"`       // the same
	Refs            []summaryRefJSON     `json:"refs"`
	Deltas          []summaryDeltaJSON   `json:"deltas"`
	Metadata        map[string]any       `json:"metadata"`
	Signatures      []facts.GPGSignature `json:"signatures,omitempty"`       // by GPG, where they were checked
	OtherSignatures []facts.Signature    `json:"other_signatures,omitempty"` // of other schemes
}

type summaryRefJSON struct {
	Ref        string  `json:"ref"`
	Collection string  `json:"collection,omitempty"`
	Checksum   string  `json:"checksum"`
	Size       uint64  `json:"size"` // of the commit object, in bytes
	Timestamp  *uint64 `json:"timestamp,omitempty"`
	Version    string  `json:"version,omitempty"`
}

type summaryDeltaJSON struct {
	From   string `json:"from,omitempty"`
	To     string `json:"to"`
	Digest string `json:"sha256"` // of its superblock
}

func newSummaryJSON(s *summary.Summary) summaryJSON {
	j := summaryJSON{
		Collection: s.Collection(), Mode: s.Mode(), Refs: []summaryRefJSON{}, Deltas: []summaryDeltaJSON{}, Metadata: facts.Dict(s.Metadata()),
		LastModified: present(s.LastModified()), Expires: present(s.Expires()),
	}
	j.addRefs(s.Collection(), s.Refs())
	for id, list := range s.Collections() {
		j.addRefs(id, list)
	}
	for d, digest := range s.Deltas() {
		row := summaryDeltaJSON{To: d.To.String(), Digest: digest.String()}
		if !d.From.IsZero() {
			row.From = d.From.String()
		}
		j.Deltas = append(j.Deltas, row)
	}
	return j
}

func (j *summaryJSON) addRefs(collection string, list summary.Refs) {
	for i := range list.Len() {
		ref := list.At(i)
		j.Refs = append(j.Refs, summaryRefJSON{
			Ref: ref.Name, Collection: collection, Checksum: ref.Commit.String(), Size: ref.Size,
			Timestamp: present(ref.Timestamp()), Version: ref.Version(),
		})
	}
}

// present is a pointer to n, or nil when there is no n.
func present(n uint64, there bool) *uint64 {
	if !there {
		return nil
	}
	return &n
}

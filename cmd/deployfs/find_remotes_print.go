package main

import (
	"fmt"
	"time"

	"deployfs/cmd/internal/cli"
	"deployfs/objstore/finder"
)

// finderNames are ostree's for what has found a remote.
var finderNames = map[finder.Kind]string{finder.Config: "OstreeRepoFinderConfig", finder.Mount: "OstreeRepoFinderMount"}

func printFound(inv *cli.Invocation, found *finder.Found) {
	for i, r := range found.Results {
		fmt.Fprintf(inv.Stdout, "Result %d: %s\n - Finder: %s\n - Keyring: %s\n - Priority: %d\n - Summary last modified: %s\n - Refs:\n",
			i, r.URL, finderNames[r.Kind], r.Keyring, r.Priority, whenModified(r.LastModified))
		for _, ref := range r.Refs {
			commit := "(not found)"
			if !ref.Commit.IsZero() {
				commit = ref.Commit.String()
			}
			fmt.Fprintf(inv.Stdout, "    - %s = %s\n", ref.Name, commit)
		}
		fmt.Fprintln(inv.Stdout)
	}
	if len(found.Results) == 0 {
		fmt.Fprintln(inv.Stdout, "No results.")
		return
	}
	asked, missing := len(found.Asked()), found.Missing()
	fmt.Fprintf(inv.Stdout, "%d/%d refs were found.\n", asked-len(missing), asked)
	if len(missing) == 0 {
		return
	}
	fmt.Fprintln(inv.Stdout, "Refs not found in any remote:")
	for _, name := range missing {
		fmt.Fprintf(inv.Stdout, " - %s\n", name)
	}
}

func whenModified(seconds uint64) string {
	switch {
	case seconds == 0:
		return "unknown"
	case seconds > 253402300799: // of the year 9999
		return "invalid"
	}
	return time.Unix(int64(seconds), 0).UTC().Format("2006-01-02T15:04:05Z")
}

func jsonOfFound(found *finder.Found) foundRemotes {
	out := foundRemotes{Results: []foundRemote{}, Missing: []foundRef{}}
	for _, r := range found.Results {
		row := foundRemote{URL: r.URL, Finder: string(r.Kind), Remote: r.Remote, Keyring: r.Keyring, Priority: r.Priority, LastModified: r.LastModified}
		for _, ref := range r.Refs {
			if !ref.Commit.IsZero() {
				row.Refs = append(row.Refs, foundRef{ref.Collection, ref.Ref, ref.Commit.String(), ref.Timestamp})
			}
		}
		out.Results = append(out.Results, row)
	}
	for _, name := range found.Missing() {
		out.Missing = append(out.Missing, foundRef{Collection: name.Collection, Ref: name.Ref})
	}
	return out
}

// foundRemotes is what was found, in JSON.
type foundRemotes struct {
	Results []foundRemote `json:"results"` // the best first
	Missing []foundRef    `json:"missing"` // that no remote has
}

type foundRemote struct {
	URL          string     `json:"url"`
	Finder       string     `json:"finder"` // "config" or "mount"
	Remote       string     `json:"remote"` // the configured one whose keys count
	Keyring      string     `json:"keyring"`
	Priority     int        `json:"priority"`                // smaller is better
	LastModified uint64     `json:"last_modified,omitempty"` // of the summary, in seconds since 1970
	Refs         []foundRef `json:"refs"`                    // of which it has the newest commit
}

type foundRef struct {
	Collection string `json:"collection"`
	Ref        string `json:"ref"`
	Commit     string `json:"commit,omitempty"`
	Timestamp  uint64 `json:"timestamp,omitempty"` // of the commit, in seconds since 1970
}

package main

import (
	"context"
	"fmt"
	"runtime"

	"deployfs/cmd/internal/cli"
)

// version is this program's, features what it can do.
const version = "0.1.0"

var features = []string{"archive", "bare", "bare-user", "bare-user-only", "bare-split-xattrs", "fuse"}

func versionVerb() cli.Verb {
	return cli.Verb{
		Name: "version", Short: "Print version information", Ours: true, NoRepo: true, JSON: true,
		Complete: func(*cli.Invocation, string) cli.Completion { return cli.Completion{} },
		Run: func(_ context.Context, inv *cli.Invocation) error {
			if inv.JSON {
				return cli.WriteJSON(inv.Stdout, struct {
					Version  string   `json:"version"`
					Features []string `json:"features"`
					Go       string   `json:"go"`
				}{version, features, runtime.Version()})
			}
			_, err := fmt.Fprint(inv.Stdout, inv.Program.VersionText())
			return err
		},
	}
}

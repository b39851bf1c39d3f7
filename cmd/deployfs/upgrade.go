package main

import (
	"context"
	"errors"
	"fmt"

	"deployfs/cmd/internal/cli"
	"deployfs/mount/daemon"
)

func upgradeVerb() cli.Verb {
	all := new(bool)
	return cli.Verb{
		Name: "upgrade", Args: "[MOUNTPOINT]", Short: "Have this program take over a mount", Ours: true, NoRepo: true, JSON: true,
		Long:     upgradeText,
		Options:  []cli.Option{cli.Flag(all, "all", "", "Every mount of this user's")},
		Examples: []cli.Example{{Command: "deployfs upgrade --all", Text: "after a new version was installed"}},
		Complete: completeMountpoint,
		Run: func(_ context.Context, inv *cli.Invocation) error {
			switch {
			case len(inv.Args) > 1 || *all && len(inv.Args) > 0:
				return &cli.UsageError{Text: "one mountpoint is taken, or --all"}
			case len(inv.Args) == 0 && !*all:
				return &cli.UsageError{Text: "a mountpoint is needed, or --all"}
			}
			return runUpgrade(inv)
		},
	}
}

const upgradeText = `Starts a server of this program beside the one that serves the mount, hands the mount over, and ends the old one after its last answer. Whoever uses the mount notices nothing: files stay open, and a request waits some milliseconds at most. The keeper of the mount becomes this program, too.

When the new program can't go on with the mount, because it speaks another version of its state or can't open the repository, the old server stays, and the reason is printed.`

// upgraded is what is said of one mount.
type upgraded struct {
	Mountpoint string `json:"mountpoint"`
	From       string `json:"from"` // version
	To         string `json:"to"`
	Error      string `json:"error,omitempty"`
}

func runUpgrade(inv *cli.Invocation) error {
	list, err := daemon.Kept(inv.Args)
	if err != nil {
		return err
	}
	done := []upgraded{}
	var errs []error
	for _, s := range list {
		one := upgraded{Mountpoint: s.Mountpoint, From: s.Version, To: version}
		if err := daemon.Upgrade(s); err != nil {
			one.To, one.Error = s.Version, err.Error()
			errs = append(errs, err)
		}
		done = append(done, one)
		if !inv.JSON && one.Error == "" {
			fmt.Fprintf(inv.Stdout, "%s: %s to %s\n", daemon.Line(one.Mountpoint), one.From, one.To)
		}
	}
	if inv.JSON {
		errs = append(errs, cli.WriteJSON(inv.Stdout, done))
	}
	return errors.Join(errs...)
}

package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"

	"deployfs/cmd/internal/cli"
	"deployfs/mount/daemon"
	"deployfs/mount/doctor"
)

// doctorProbe is the verb with which doctor runs this program to try what has to be mounted.
const doctorProbe = "doctor-probe"

const doctorText = `For each thing that a mount can use: whether it is there, how that is known, what is missing and how to get it. What can be tried is tried, in a child process with namespaces of its own, of which nothing is left; nothing that hangs is waited for longer than some seconds. Only the line "mounting" decides whether a mount is possible; then the exit status is 0, else 1.

Without root the verb tells what this user can do, and what root would add. With --repo, or $OSTREE_REPO, it looks at that repository, too: whether it can be read and locked, where its index would be, and what its file system can do.

fuse device, mounting and fusermount3 are what a mount takes. Other users are those of --allow-other. With passthrough the kernel reads large files by itself, see --data of deployfs-mount(1). With resend, readers don't notice that the server was replaced. An overlay is the writable layer of --overlay. Beneath is a mount that is put below another, to switch a live tree. User namespaces let users mount overlays. Landlock locks the server in. With fs-verity the kernel verifies content. The descriptor store is systemd's.`

func doctorVerb() cli.Verb {
	dir := new(string)
	return cli.Verb{
		Name: "doctor", Short: "Say what this machine can do, what is missing, and how to get it", Ours: true, JSON: true,
		Long:    doctorText,
		Options: []cli.Option{cacheDirOption(dir)},
		Examples: []cli.Example{
			{Command: "deployfs doctor --repo=/srv/repo", Text: "of this machine and a repository"},
			{Command: "deployfs doctor --json | jq -e '.mountable'", Text: "for scripts"},
		},
		Complete: func(*cli.Invocation, string) cli.Completion { return cli.Completion{} },
		Run: func(ctx context.Context, inv *cli.Invocation) error {
			if len(inv.Args) > 0 {
				return &cli.UsageError{Text: "no argument is taken"}
			}
			return examine(ctx, inv, *dir)
		},
	}
}

func examine(ctx context.Context, inv *cli.Invocation, cacheDir string) error {
	cfg := doctor.Config{CacheDir: absolute(cacheDir), Room: daemon.DefaultCacheSize, Child: []string{"/proc/self/exe", doctorProbe}}
	if path := defaultRepo(); inv.RepoGiven || path != systemRepo {
		cfg.Repo = repoPath(inv)
	}
	report := doctor.Examine(ctx, cfg)
	if err := ctx.Err(); err != nil {
		return err
	}
	var err error
	if inv.JSON {
		err = cli.WriteJSON(inv.Stdout, report)
	} else {
		err = printReport(inv.Stdout, report)
	}
	if err == nil && !report.Mountable {
		err = &daemon.Failure{Text: "no mount is possible here"}
	}
	return err
}

func printReport(w io.Writer, report doctor.Report) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, f := range report.Findings {
		fmt.Fprintf(table, "%s\t%s\t%s\n", f.What, f.Answer, daemon.Line(f.Evidence))
		if f.Missing != "" {
			fmt.Fprintf(table, "\t\tmissing: %s\n", daemon.Line(f.Missing))
		}
		if f.Remedy != "" {
			fmt.Fprintf(table, "\t\tto get it: %s\n", daemon.Line(f.Remedy))
		}
	}
	return table.Flush()
}

// doctorProbeVerb is what doctor's child processes run.
func doctorProbeVerb() cli.Verb {
	return cli.Verb{
		Name: doctorProbe, Short: "Try one thing for doctor", Ours: true, NoRepo: true, Hidden: true,
		Run: func(_ context.Context, inv *cli.Invocation) error { return doctor.Probe(inv.Args, inv.Stdout) },
	}
}

package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"deployfs/cmd/internal/cli"
	"deployfs/mount/daemon"
	"deployfs/mount/metrics"
)

const mountsText = `One line for each mount: where, repository, ref, commit, the server's process and its program's version, how many servers before it have died and been replaced, plus how many were upgraded (unkept when the keeper is gone, so that nobody would replace this one), since when, requests from the kernel, bytes of content handed out, answers of input/output error, whether a tree index is used, and how content reaches the kernel, with the reason. A mount of all commits has (history) as its ref, and - as commit. A mount whose server is dead, or another user's, has - for what is not known. Detached is what was taken away lazily and is still in use, or belongs to another mount namespace.

Of mounts of what is on a server there is a second table: URL, bytes that were fetched, in how many objects, how often something was here already that was looked at (all three since the server process began), what the cache of all servers takes, and whether the server has answered when it was asked last.

With --metrics the same and more is printed in the text format of Prometheus, each sample with the labels mountpoint, repo, ref and commit; a mount of all commits has (history) as its ref, and no commit. --metrics=FILE replaces FILE by it in one step, as the textfile collector of node_exporter wants it. --metrics=unix:PATH answers HTTP requests for /metrics on a Unix socket until the command is interrupted; who may connect is a matter of the socket's directory and the umask.`

type mountsOptions struct {
	metrics bool
	to      string // "" is standard output
}

func mountsVerb() cli.Verb {
	o := &mountsOptions{}
	return cli.Verb{
		Name: "mounts", Short: "List what is mounted", Ours: true, NoRepo: true, JSON: true,
		Long:    mountsText,
		Options: []cli.Option{o.metricsOption()},
		Examples: []cli.Example{
			{Command: "deployfs mounts --json | jq -r '.[].mountpoint'", Text: "for scripts"},
			{Command: "deployfs mounts --metrics=/var/lib/prometheus/node-exporter/deployfs.prom", Text: "from a timer, for node_exporter"},
			{Command: "curl --unix-socket /run/deployfs.sock http://localhost/metrics", Text: "asks what --metrics=unix:/run/deployfs.sock serves"},
		},
		Complete: func(*cli.Invocation, string) cli.Completion { return cli.Completion{} },
		Run:      o.run,
	}
}

// metricsOption needs no value, but takes one behind "=".
func (o *mountsOptions) metricsOption() cli.Option {
	set := func(to string) error { o.metrics, o.to = true, to; return nil }
	option := cli.Func(set, "metrics", "", "[FILE|unix:PATH]", "Print metrics for Prometheus; write them to FILE; serve them on a Unix socket")
	option.NoArg = true
	return option
}

func (o *mountsOptions) run(ctx context.Context, inv *cli.Invocation) error {
	switch {
	case len(inv.Args) > 0:
		return &cli.UsageError{Text: "no argument is taken"}
	case o.metrics && inv.JSON:
		return &cli.UsageError{Text: "--metrics and --json exclude each other"}
	}
	if socket, ok := strings.CutPrefix(o.to, "unix:"); ok {
		return metrics.Serve(ctx, socket, daemon.List)
	}
	list, err := daemon.List()
	switch {
	case err != nil:
		return err
	case o.to != "":
		return metrics.WriteFile(o.to, list)
	case o.metrics:
		return metrics.Write(inv.Stdout, list)
	case inv.JSON:
		return cli.WriteJSON(inv.Stdout, list)
	}
	return printMounts(inv.Stdout, list)
}

func printMounts(w io.Writer, list []daemon.Status) error {
	if len(list) == 0 {
		return nil
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "MOUNTPOINT\tREPOSITORY\tREF\tCOMMIT\tPID\tVERSION\tRESTARTS\tSINCE\tREQUESTS\tBYTES\tERRORS\tINDEX\tDATA")
	for _, s := range list {
		switch {
		case s.History:
			s.Rev, s.Commit = metrics.HistoryRef, "-"
		case s.PID == 0:
			s.Rev = "-"
		}
		if s.PID == 0 {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t-\t-\t-\t-\t-\t-\t-\t-\t-\n", daemon.Line(s.Mountpoint), daemon.Line(s.Repo), s.Rev, short(s.Commit))
			continue
		}
		if s.Detached {
			s.Mountpoint += " (detached)"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d\t%s\t%s\t%s\t%d\t%s\t%d\t%s\t%s\n",
			daemon.Line(s.Mountpoint), daemon.Line(s.Repo), daemon.Line(s.Rev), short(s.Commit), s.PID, s.Version, restarts(s), s.Since.Local().Format(time.DateTime),
			s.Requests, amount(int64(s.Bytes)), s.Errors, s.Index.State, s.Data+": "+daemon.Line(s.DataReason))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	return printRemotes(w, list)
}

// printRemotes tells what the mounts have fetched that show what is on a server.
func printRemotes(w io.Writer, list []daemon.Status) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	title := "\nMOUNTPOINT\tURL\tFETCHED\tOBJECTS\tHITS\tCACHE\tSERVER"
	for _, s := range list {
		r := s.Remote
		if r == nil {
			continue
		}
		if title != "" {
			fmt.Fprintln(table, title)
			title = ""
		}
		state := "answers"
		if !r.Answers {
			state = "does not answer"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%d\t%s of %s\t%s\n",
			daemon.Line(s.Mountpoint), daemon.Line(r.URL), amount(r.Fetched), r.Objects, r.Hits, amount(r.Cache.Used), amount(r.Cache.Limit), state)
	}
	return table.Flush()
}

// restarts counts the servers that were replaced. A mount without a keeper says
// so: its next death is its last.
func restarts(s daemon.Status) string {
	if s.Keeper == 0 {
		return "unkept"
	}
	return fmt.Sprintf("%d+%d", s.Restarts, s.Upgrades)
}

// short is as much of a checksum as people read.
func short(checksum string) string { return checksum[:min(len(checksum), 12)] }

// amount is a size for people, in powers of 1024.
func amount(n int64) string {
	units, size, i := "BKMGTPE", float64(n), 0
	for size >= 1024 {
		size /= 1024
		i++
	}
	if i == 0 {
		return fmt.Sprintf("%dB", n)
	}
	return fmt.Sprintf("%.1f%c", size, units[i])
}

package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"deployfs/cmd/internal/cli"
	"deployfs/mount/daemon"
)

func mountsVerb() cli.Verb {
	return cli.Verb{
		Name: "mounts", Short: "List what is mounted", Ours: true, NoRepo: true, JSON: true,
		Long: "One line for each mount: where, repository, ref, commit, the server's process, since when, requests from the kernel, bytes of content handed out, answers of input/output error, whether a tree index is used, and how content reaches the kernel, with the reason. A mount whose server is dead, or another user's, has - for what is not known. Detached is what was taken away lazily and is still in use, or belongs to another mount namespace.",
		Examples: []cli.Example{
			{Command: "deployfs mounts --json | jq -r '.[].mountpoint'", Text: "for scripts"},
		},
		Complete: func(*cli.Invocation, string) cli.Completion { return cli.Completion{} },
		Run: func(_ context.Context, inv *cli.Invocation) error {
			if len(inv.Args) > 0 {
				return &cli.UsageError{Text: "no argument is taken"}
			}
			list, err := daemon.List()
			if err != nil {
				return err
			}
			if inv.JSON {
				return cli.WriteJSON(inv.Stdout, list)
			}
			return printMounts(inv.Stdout, list)
		},
	}
}

func printMounts(w io.Writer, list []daemon.Status) error {
	if len(list) == 0 {
		return nil
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "MOUNTPOINT\tREPOSITORY\tREF\tCOMMIT\tPID\tSINCE\tREQUESTS\tBYTES\tERRORS\tINDEX\tDATA")
	for _, s := range list {
		if s.PID == 0 {
			fmt.Fprintf(table, "%s\t%s\t-\t%s\t-\t-\t-\t-\t-\t-\t-\n", daemon.Line(s.Mountpoint), daemon.Line(s.Repo), short(s.Commit))
			continue
		}
		if s.Detached {
			s.Mountpoint += " (detached)"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d\t%s\t%d\t%s\t%d\t%s\t%s\n",
			daemon.Line(s.Mountpoint), daemon.Line(s.Repo), daemon.Line(s.Rev), short(s.Commit), s.PID, s.Since.Local().Format(time.DateTime),
			s.Requests, amount(int64(s.Bytes)), s.Errors, s.Index.State, s.Data+": "+daemon.Line(s.DataReason))
	}
	return table.Flush()
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

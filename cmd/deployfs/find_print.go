package main

import (
	"context"
	"fmt"
	"text/tabwriter"

	"deployfs/cmd/internal/cli"
	"deployfs/mount/daemon"
	"deployfs/objstore"
	"deployfs/objstore/history"
)

// findPrinter prints what was found. It makes one row at a time: there can be very many.
type findPrinter struct {
	inv     *cli.Invocation
	repo    *objstore.Repo
	commits bool // all that hold it
}

func (p *findPrinter) print(ctx context.Context, rows []findRow) error {
	switch {
	case p.inv.JSON:
		return p.json(ctx, rows)
	case len(rows) == 0:
		return nil
	case p.commits:
		return p.all(ctx, rows)
	}
	return p.table(ctx, rows)
}

func (p *findPrinter) table(ctx context.Context, rows []findRow) error {
	table := tabwriter.NewWriter(p.inv.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "FIRST\tDATE\tLAST\tDATE\tCOMMITS\tREV\tPATH")
	for _, r := range rows {
		oldest, newest := r.Runs[len(r.Runs)-1], r.Runs[0]
		commits := fmt.Sprint(r.Commits())
		if n := len(r.Runs); n > 1 {
			commits += fmt.Sprintf(" in %d runs", n)
		}
		_, err := fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n",
			shortBrief(oldest.First, oldest.Shallow), briefTime(oldest.First, "2006-01-02"), short(newest.Last.Checksum.String()), briefTime(newest.Last, "2006-01-02"),
			commits, daemon.Line(r.rev), daemon.Line(r.Path))
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
	}
	return table.Flush()
}

// all prints a line for each commit.
func (p *findPrinter) all(ctx context.Context, rows []findRow) error {
	fmt.Fprintf(p.inv.Stdout, "%-13s  %-10s  %s\n", "COMMIT", "DATE", "REV:PATH")
	for _, r := range rows {
		place := daemon.Line(r.rev) + ":" + daemon.Line(r.Path)
		err := p.holders(ctx, r, func(b history.Brief, shallow bool) error {
			_, err := fmt.Fprintf(p.inv.Stdout, "%-13s  %-10s  %s\n", shortBrief(b, shallow), briefTime(b, "2006-01-02"), place)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// holders visits the commits of all runs, newest first.
func (p *findPrinter) holders(ctx context.Context, r findRow, visit func(b history.Brief, shallow bool) error) error {
	for _, run := range r.Runs {
		left := run.Commits
		err := history.Walk(ctx, p.repo, run.Last.Checksum, func(c history.Commit) (bool, error) {
			left--
			return left > 0, visit(history.NewBrief(c), run.Shallow && left == 0)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// findJSON is a path in a history, in JSON.
type findJSON struct {
	Rev       string      `json:"rev"`
	Path      string      `json:"path"`
	PathBytes []byte      `json:"path_bytes,omitempty"`
	First     briefJSON   `json:"first"` // the oldest commit that holds it
	Last      briefJSON   `json:"last"`  // the newest
	Commits   int         `json:"commits"`
	Runs      []runJSON   `json:"runs"`              // newest first
	HeldBy    []briefJSON `json:"held_by,omitempty"` // all commits of the runs, when asked for
}

// runJSON is a number of commits in a row.
type runJSON struct {
	First   briefJSON `json:"first"`
	Last    briefJSON `json:"last"`
	Commits int       `json:"commits"`
	Shallow bool      `json:"shallow,omitempty"` // first is the oldest commit that is here
}

func (p *findPrinter) json(ctx context.Context, rows []findRow) (err error) {
	printed := cli.WriteJSONList(p.inv.Stdout, func(yield func(findJSON) bool) {
		for _, r := range rows {
			var j findJSON
			if j, err = p.row(ctx, r); err != nil || !yield(j) {
				return
			}
		}
	})
	if err == nil {
		err = printed
	}
	return err
}

func (p *findPrinter) row(ctx context.Context, r findRow) (findJSON, error) {
	j := findJSON{Rev: r.rev, Commits: r.Commits()}
	j.Path, j.PathBytes = cli.Text(r.Path)
	for _, run := range r.Runs {
		j.Runs = append(j.Runs, runJSON{newBriefJSON(run.First), newBriefJSON(run.Last), run.Commits, run.Shallow})
	}
	j.First, j.Last = j.Runs[len(j.Runs)-1].First, j.Runs[0].Last
	if !p.commits {
		return j, ctx.Err()
	}
	err := p.holders(ctx, r, func(b history.Brief, _ bool) error {
		j.HeldBy = append(j.HeldBy, newBriefJSON(b))
		return nil
	})
	return j, err
}

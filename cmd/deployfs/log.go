package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"deployfs/cmd/internal/cli"
	"deployfs/objstore/facts"
	"deployfs/objstore/object"
)

func logVerb() cli.Verb {
	var raw bool
	return cli.Verb{
		Name: "log", Args: "REV", Short: "Show log starting at commit or ref", JSON: true,
		Options: []cli.Option{cli.Flag(&raw, "raw", "", "Show raw variant data")},
		Examples: []cli.Example{
			{Command: "deployfs log os/main", Text: "all commits of the ref that are here, newest first"},
			{Command: "deployfs log --json os/main | jq -r '.[] | .checksum + \" \" + .version'", Text: "one line for each"},
		},
		Complete: completeRev,
		Run:      func(ctx context.Context, inv *cli.Invocation) error { return runLog(ctx, inv, raw) },
	}
}

func runLog(ctx context.Context, inv *cli.Invocation, raw bool) error {
	repo, err := openRepo(inv)
	if err != nil {
		return err
	}
	defer repo.Close()
	if len(inv.Args) == 0 {
		return &cli.UsageError{Text: "A rev argument is required"}
	}
	sum, err := repo.Resolve(inv.Args[0])
	if err != nil {
		return err
	}
	h := history{shower: shower{repo: repo, out: inv.Stdout, raw: raw, json: inv.JSON}, list: []facts.Commit{}}
	for first := true; (first || !sum.IsZero()) && ctx.Err() == nil; first = false {
		sum, err = h.step(sum)
		if !first && errors.Is(err, fs.ErrNotExist) {
			if !inv.JSON {
				fmt.Fprintln(inv.Stdout, "<< History beyond this commit not fetched >>")
			}
			break
		}
		if err != nil {
			return err
		}
	}
	if ctx.Err() == nil && inv.JSON {
		return cli.WriteJSON(inv.Stdout, h.list)
	}
	return ctx.Err()
}

// history prints commits, or collects them for JSON.
type history struct {
	shower
	list []facts.Commit
}

// step does so with one commit and returns its parent.
func (h *history) step(sum object.Checksum) (parent object.Checksum, err error) {
	name := object.Name{Checksum: sum, Kind: object.KindCommit}
	data, err := h.repo.Metadata(name)
	if err != nil {
		return parent, err
	}
	commit, err := object.DecodeCommit(data)
	if err != nil {
		return parent, object.Corrupt(name, err)
	}
	if !h.json {
		return commit.Parent, h.dump(name, data)
	}
	j, err := facts.Of(h.repo, sum, commit)
	h.list = append(h.list, j)
	return commit.Parent, err
}

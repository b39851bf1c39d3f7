package main

import (
	"context"
	"fmt"

	"deployfs/cmd/internal/cli"
	"deployfs/objstore"
)

func revParseVerb() cli.Verb {
	var single bool
	return cli.Verb{
		Name: "rev-parse", Args: "REV", Short: "Output the target of a rev", JSON: true,
		Long: "REV is a ref, REMOTE:REF, a commit's checksum or the unambiguous beginning of one; each ^ behind it means the parent.",
		Options: []cli.Option{cli.Flag(&single, "single", "S",
			"If the repository has exactly one commit, then print it; any other case will result in an error")},
		Examples: []cli.Example{{Command: "deployfs rev-parse os/main os/main^", Text: "a commit and its parent"}},
		Complete: completeRevs,
		Run: func(_ context.Context, inv *cli.Invocation) error {
			return runRevParse(inv, single)
		},
	}
}

// revJSON is a resolved REV in JSON.
type revJSON struct {
	Rev      string `json:"rev,omitempty"`
	Checksum string `json:"checksum"`
}

func runRevParse(inv *cli.Invocation, single bool) error {
	repo, err := openRepo(inv)
	if err != nil {
		return err
	}
	defer repo.Close()
	switch {
	case single && len(inv.Args) > 0:
		return &cli.UsageError{Text: "Cannot specify arguments with --single"}
	case single:
		return printSingle(inv, repo)
	case len(inv.Args) == 0:
		return &cli.UsageError{Text: "REV must be specified"}
	}
	list := []revJSON{}
	for _, rev := range inv.Args {
		sum, err := repo.Resolve(rev)
		if err != nil {
			return err
		}
		list = append(list, revJSON{rev, sum.String()})
		if !inv.JSON {
			fmt.Fprintln(inv.Stdout, sum)
		}
	}
	if inv.JSON {
		return cli.WriteJSON(inv.Stdout, list)
	}
	return nil
}

// printSingle prints the only commit.
func printSingle(inv *cli.Invocation, repo *objstore.Repo) error {
	commits, err := repo.Commits()
	switch {
	case err != nil:
		return err
	case len(commits) == 0:
		return cli.Words("No commit objects found")
	case len(commits) > 1:
		return cli.Words("Multiple commit objects found")
	case inv.JSON:
		return cli.WriteJSON(inv.Stdout, []revJSON{{Checksum: commits[0].String()}})
	}
	_, err = fmt.Fprintln(inv.Stdout, commits[0])
	return err
}

package main

import (
	"context"
	"fmt"

	"deployfs/cmd/internal/cli"
	"deployfs/objstore"
	"deployfs/objstore/object"
	"deployfs/objstore/summary"
)

func staticDeltaListVerb() cli.Verb {
	return cli.Verb{
		Name: "list", Short: "List static delta files", JSON: true,
		Complete: completeNothing,
		Run: withRepo(func(_ context.Context, inv *cli.Invocation, repo *objstore.Repo) error {
			list := []deltaJSON{}
			err := repo.EachDelta(func(d objstore.Delta) error {
				list = append(list, newDeltaJSON(d))
				return nil
			})
			if err != nil {
				return err
			}
			return printNames(inv, list, deltaJSON.name, "(No static deltas)")
		}),
	}
}

// deltaJSON is a static delta.
type deltaJSON struct {
	Name string `json:"delta"`
	From string `json:"from,omitempty"` // absent for a delta that needs no commit
	To   string `json:"to"`
}

func newDeltaJSON(d objstore.Delta) deltaJSON {
	j := deltaJSON{Name: d.String(), To: d.To.String()}
	if !d.From.IsZero() {
		j.From = d.From.String()
	}
	return j
}

func (d deltaJSON) name() string { return d.Name }

func staticDeltaIndexesVerb() cli.Verb {
	return cli.Verb{
		Name: "indexes", Short: "List static delta indexes", JSON: true,
		Long:     "An index tells who pulls a commit which deltas lead to it. They are made by reindex, and with the summary.",
		Complete: completeNothing,
		Run: withRepo(func(_ context.Context, inv *cli.Invocation, repo *objstore.Repo) error {
			list := []deltaIndexJSON{}
			err := repo.EachDeltaIndex(func(to object.Checksum) error {
				list = append(list, deltaIndexJSON{to.String()})
				return nil
			})
			if err != nil {
				return err
			}
			return printNames(inv, list, deltaIndexJSON.name, "(No static deltas indexes)")
		}),
	}
}

// deltaIndexJSON is the index of the static deltas that lead to a commit.
type deltaIndexJSON struct {
	To string `json:"to"`
}

func (d deltaIndexJSON) name() string { return d.To }

// printNames prints a list, a name a line, or none when it is empty.
func printNames[T any](inv *cli.Invocation, list []T, name func(T) string, none string) error {
	if inv.JSON {
		return cli.WriteJSON(inv.Stdout, list)
	}
	if len(list) == 0 {
		fmt.Fprintln(inv.Stdout, none)
	}
	for _, one := range list {
		fmt.Fprintln(inv.Stdout, name(one))
	}
	return nil
}

func staticDeltaReindexVerb() cli.Verb {
	var to string
	return cli.Verb{
		Name: "reindex", Short: "Regenerate static delta indexes",
		Long:            "Indexes of deltas that are gone are deleted. REV is the checksum of a commit.",
		Options:         []cli.Option{cli.String(&to, "to", "", "REV", "Only update delta index to revision REV")},
		Examples:        []cli.Example{{Command: "deployfs static-delta reindex", Text: "tell who pulls which deltas there are, without a new summary"}},
		CompleteOptions: completers{"to": completeTarget},
		Complete:        completeNothing,
		Run: withRepo(func(ctx context.Context, inv *cli.Invocation, repo *objstore.Repo) error {
			var commit object.Checksum
			for _, option := range inv.Given {
				if option.Name != "to" {
					continue
				}
				sum, err := object.ParseChecksum(to)
				if err != nil {
					return cli.Words("Invalid rev " + to)
				}
				commit = sum
			}
			return summary.Reindex(ctx, repo, commit)
		}),
	}
}

package main

import (
	"context"
	"errors"
	"fmt"

	"deployfs/cmd/internal/cli"
	"deployfs/objstore"
	"deployfs/objstore/fetch"
	"deployfs/objstore/pull"
	"deployfs/objstore/summary"
)

func remoteRefsVerb() cli.Verb {
	var o pull.RemoteOptions
	var revisions bool
	return cli.Verb{
		Name: "refs", Args: "NAME", Short: "List remote refs", JSON: true,
		Long: "The refs are those that the remote's summary lists, which is verified as the remote's configuration says, and fetched only where it has changed.",
		Options: []cli.Option{
			cli.String(&o.CacheDir, "cache-dir", "", "", "Use custom cache dir"),
			cli.Newer(cli.Flag(&revisions, "revision", "r", "Show revisions in listing")),
		},
		Examples: []cli.Example{{Command: "deployfs remote refs origin", Text: "what can be pulled from origin"}},
		Complete: completeRemote,
		Run: withRepo(func(ctx context.Context, inv *cli.Invocation, repo *objstore.Repo) error {
			s, _, err := fetchSummary(ctx, inv, repo, o, "Remote refs not available; server has no summary file")
			if err != nil {
				return err
			}
			return listRemoteRefs(inv, s, revisions)
		}),
	}
}

// fetchSummary fetches the summary of the remote that is the first argument, and its signature. Absent is
// what there is to say when there is none.
func fetchSummary(ctx context.Context, inv *cli.Invocation, repo *objstore.Repo, o pull.RemoteOptions, absent string) (*summary.Summary, []byte, error) {
	if err := needArgs(inv, 1, "NAME"); err != nil {
		return nil, nil, err
	}
	o.Agent = agent(inv)
	o.Warn = func(err error) { fmt.Fprintf(inv.Stderr, "warning: %v\n", err) }
	s, signature, err := summaryOf(ctx, repo, inv.Args[0], o)
	if err == nil && s == nil {
		err = cli.Words(absent)
	}
	return s, signature, err
}

// summaryOf fetches a remote's summary, and again when that fails in a way that may pass. Somebody waits
// for the answer: a server that says nothing has had its time after the first try.
func summaryOf(ctx context.Context, repo *objstore.Repo, name string, o pull.RemoteOptions) (*summary.Summary, []byte, error) {
	once := o
	once.Retries = new(int)
	s, _, signature, err := pull.FetchSummary(ctx, repo, name, once)
	var transfer *fetch.TransferError
	var status *fetch.StatusError
	if errors.As(err, &transfer) && transfer.Code != timedOut || errors.As(err, &status) {
		s, _, signature, err = pull.FetchSummary(ctx, repo, name, o)
	}
	return s, signature, err
}

const timedOut = 28 // libcurl's number of an operation that took too long

func listRemoteRefs(inv *cli.Invocation, s *summary.Summary, revisions bool) error {
	if inv.JSON {
		j := summaryJSON{Refs: []summaryRefJSON{}}
		j.addRefs(s.Collection(), s.Refs())
		return cli.WriteJSON(inv.Stdout, j.Refs)
	}
	for i := range s.Refs().Len() {
		ref := s.Refs().At(i)
		fmt.Fprintf(inv.Stdout, "%s:%s", inv.Args[0], ref.Name)
		if revisions {
			fmt.Fprintf(inv.Stdout, "\t%s", ref.Commit)
		}
		fmt.Fprintln(inv.Stdout)
	}
	return nil
}

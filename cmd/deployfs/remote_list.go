package main

import (
	"context"
	"fmt"

	"deployfs/cmd/internal/cli"
)

func remoteListVerb() cli.Verb {
	var urls bool
	return cli.Verb{
		Name: "list", Short: "List remote repository names", JSON: true,
		Options:  []cli.Option{cli.Flag(&urls, "show-urls", "u", "Show remote URLs in list")},
		Complete: func(*cli.Invocation, string) cli.Completion { return cli.Completion{} },
		Run:      func(_ context.Context, inv *cli.Invocation) error { return runRemoteList(inv, urls) },
	}
}

func runRemoteList(inv *cli.Invocation, urls bool) error {
	repo, list, err := openRemotes(inv, "")
	if repo != nil {
		defer repo.Close()
	}
	if err != nil {
		return err
	}
	names := list.Names()
	width := 0
	for _, name := range names {
		width = max(width, len(name))
	}
	rows := []remoteRow{}
	for _, name := range names {
		url, err := list.URL(name)
		switch {
		case inv.JSON:
			found, _ := list.Find(name)
			rows = append(rows, remoteRow{Name: name, URL: url, File: found.File})
		case !urls:
			fmt.Fprintln(inv.Stdout, name)
		case err != nil:
			return err
		default:
			fmt.Fprintf(inv.Stdout, "%-*s  %s\n", width-len(name)+len([]rune(name)), name, url)
		}
	}
	if inv.JSON {
		return cli.WriteJSON(inv.Stdout, rows)
	}
	return nil
}

// remoteRow is a remote in JSON.
type remoteRow struct {
	Name string `json:"name"`
	URL  string `json:"url,omitempty"`
	File string `json:"file,omitempty"` // that configures it; absent for the repository's config
}

func remoteShowURLVerb() cli.Verb {
	return cli.Verb{
		Name: "show-url", Args: "NAME", Short: "Show remote repository URL", JSON: true,
		Examples: []cli.Example{{Command: "deployfs remote show-url origin", Text: "where origin is"}},
		Complete: completeRemote,
		Run:      func(_ context.Context, inv *cli.Invocation) error { return runRemoteShowURL(inv) },
	}
}

func runRemoteShowURL(inv *cli.Invocation) error {
	repo, list, err := openRemotes(inv, "")
	if repo != nil {
		defer repo.Close()
	}
	if err == nil {
		err = needArgs(inv, 1, "NAME")
	}
	if err != nil {
		return err
	}
	url, err := list.URL(inv.Args[0])
	switch {
	case err != nil:
		return err
	case inv.JSON:
		return cli.WriteJSON(inv.Stdout, remoteRow{Name: inv.Args[0], URL: url})
	}
	_, err = fmt.Fprintln(inv.Stdout, url)
	return err
}

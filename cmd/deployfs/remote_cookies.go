package main

import (
	"context"
	"fmt"
	"time"

	"deployfs/cmd/internal/cli"
	"deployfs/objstore"
	"deployfs/objstore/remote"
)

func remoteAddCookieVerb() cli.Verb {
	return cli.Verb{
		Name: "add-cookie", Args: "NAME DOMAIN PATH COOKIE_NAME VALUE", Short: "Add a cookie to remote",
		Long:     "What is pulled from DOMAIN below PATH is asked for with the cookie, for 25 years. The words have no blanks.",
		Examples: []cli.Example{{Command: "deployfs remote add-cookie origin example.com / token 1234", Text: "a token for all that origin serves"}},
		Complete: completeRemote,
		Run: withRepo(func(_ context.Context, inv *cli.Invocation, repo *objstore.Repo) error {
			if err := needArgs(inv, 5, "NAME, DOMAIN, PATH, COOKIE_NAME and VALUE"); err != nil {
				return err
			}
			a := inv.Args
			return remote.AddCookie(repo, a[0], remote.Cookie{Domain: a[1], Path: a[2], Name: a[3], Value: a[4]})
		}),
	}
}

func remoteDeleteCookieVerb() cli.Verb {
	return cli.Verb{
		Name: "delete-cookie", Args: "NAME DOMAIN PATH COOKIE_NAME", Short: "Remove one cookie from remote",
		Examples: []cli.Example{{Command: "deployfs remote delete-cookie origin example.com / token", Text: "forget a token"}},
		Complete: completeRemote,
		Run: withRepo(func(_ context.Context, inv *cli.Invocation, repo *objstore.Repo) error {
			if err := needArgs(inv, 4, "NAME, DOMAIN, PATH and COOKIE_NAME"); err != nil {
				return err
			}
			return remote.DeleteCookie(repo, inv.Args[0], inv.Args[1], inv.Args[2], inv.Args[3])
		}),
	}
}

func remoteListCookiesVerb() cli.Verb {
	return cli.Verb{
		Name: "list-cookies", Args: "NAME", Short: "Show remote repository cookies", JSON: true,
		Examples: []cli.Example{{Command: "deployfs remote list-cookies origin", Text: "what origin's server is shown"}},
		Complete: completeRemote,
		Run:      withRepo(runRemoteListCookies),
	}
}

// cookieRow is a cookie in JSON.
type cookieRow struct {
	Domain  string `json:"domain"`
	Path    string `json:"path"`
	Name    string `json:"name"`
	Secure  bool   `json:"secure"`
	Expires string `json:"expires"`
	Value   string `json:"value"`
}

func runRemoteListCookies(_ context.Context, inv *cli.Invocation, repo *objstore.Repo) error {
	if err := needArgs(inv, 1, "NAME"); err != nil {
		return err
	}
	cookies, err := remote.Cookies(repo, inv.Args[0])
	if err != nil {
		return err
	}
	rows := []cookieRow{}
	for _, c := range cookies {
		if inv.JSON {
			rows = append(rows, cookieRow{c.Domain, c.Path, c.Name, c.Secure == "TRUE", c.Expires.UTC().Format(time.RFC3339), c.Value})
			continue
		}
		fmt.Fprintf(inv.Stdout, "--\nDomain: %s\nPath: %s\nName: %s\nSecure: %s\nExpires: %s\nValue: %s\n",
			c.Domain, c.Path, c.Name, c.Secure, c.Expires.UTC().Format("2006-01-02 15:04:05 +0000"), c.Value)
	}
	if inv.JSON {
		return cli.WriteJSON(inv.Stdout, rows)
	}
	return nil
}

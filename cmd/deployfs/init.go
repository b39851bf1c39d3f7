package main

import (
	"context"

	"deployfs/cmd/internal/cli"
	"deployfs/objstore"
	"deployfs/objstore/refs"
)

func initVerb() cli.Verb {
	mode, collection, collected := objstore.Bare.String(), "", false
	modes := cli.String(&mode, "mode", "", "", "Initialize repository in given mode (bare, bare-user, bare-user-only, archive)")
	modes.Values = []string{"bare", "bare-user", "bare-user-only", "archive"}
	return cli.Verb{
		Name: "init", Short: "Initialize a new empty repository",
		Long: "The repository is made where --repo says; the directory above it exists. One that is there already stays as it is.\n\n" +
			"archive is for servers: files are compressed, and any user can write it. bare keeps files as a checkout of them is, which takes root. " +
			"bare-user keeps owner, mode and attributes of a file beside it, for any user. bare-user-only keeps no owner and no attributes.",
		Options: []cli.Option{
			modes,
			cli.Func(func(id string) error { collection, collected = id, true; return nil }, "collection-id", "", "COLLECTION-ID",
				"Globally unique ID for this repository as an collection of refs for redistribution to other repositories"),
		},
		Examples: []cli.Example{
			{Command: "deployfs init --repo=repo --mode=archive", Text: "a repository for a web server"},
			{Command: "deployfs init --repo=build --mode=bare-user", Text: "one for builds by any user"},
		},
		Complete: func(*cli.Invocation, string) cli.Completion { return cli.Completion{} },
		Run:      func(_ context.Context, inv *cli.Invocation) error { return runInit(inv, mode, collection, collected) },
	}
}

func runInit(inv *cli.Invocation, mode, collection string, collected bool) error {
	if !inv.RepoGiven { // then it means one that is there
		repo, err := openRepo(inv)
		if err != nil {
			return err
		}
		return repo.Close()
	}
	setup := objstore.Setup{Collection: collection}
	var err error
	if setup.Mode, err = objstore.ParseMode(mode); err != nil {
		return err
	}
	if collected {
		if err := refs.CheckCollection(collection); err != nil {
			return err
		}
	}
	repo, err := objstore.Create(repoPath(inv), setup)
	if err != nil {
		return err
	}
	return repo.Close()
}

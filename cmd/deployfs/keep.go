package main

import (
	"context"
	"os"

	"deployfs/cmd/internal/cli"
	"deployfs/mount/daemon"
	"deployfs/mount/keeper"
)

// The processes of a mount are this program, run with verbs of their own; the
// argument is only for the list of processes.

func keepVerb() cli.Verb {
	return hiddenVerb(keeper.Verb, "Keep a mount", daemon.Keep)
}

func serveVerb() cli.Verb {
	return hiddenVerb(keeper.ServerVerb, "Serve a mount", func(ctx context.Context) error { return daemon.Serve(ctx, version) })
}

// keepFetchedVerb is the process that puts what a server has fetched into a repository.
func keepFetchedVerb() cli.Verb {
	return hiddenVerb(daemon.KeepFetchedVerb, "Keep what is fetched", func(ctx context.Context) error { return daemon.KeepFetched(ctx, os.Stdin) })
}

func hiddenVerb(name, short string, run func(context.Context) error) cli.Verb {
	return cli.Verb{
		Name: name, Args: "MOUNTPOINT", Short: short, Ours: true, NoRepo: true, Hidden: true,
		Complete: func(*cli.Invocation, string) cli.Completion { return cli.Completion{} },
		Run:      func(ctx context.Context, _ *cli.Invocation) error { return run(ctx) },
	}
}

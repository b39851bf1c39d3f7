package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"deployfs/cmd/internal/cli"
	"deployfs/objstore"
	"deployfs/objstore/remote"
)

func remoteVerb() cli.Verb {
	return cli.Verb{
		Name: "remote", Args: "COMMAND", Short: "Remote commands that may involve internet access", NoRepo: true,
		Long: "A remote is a place that the repository pulls from; its settings stand in the repository's config, for the system's repository in /etc/ostree/remotes.d. " +
			"A repository with a parent knows the parent's remotes, too.",
		Verbs: []cli.Verb{
			remoteAddVerb(), remoteDeleteVerb(), remoteShowURLVerb(), remoteListVerb(),
			remoteGPGImportVerb(), remoteGPGListKeysVerb(),
			remoteAddCookieVerb(), remoteDeleteCookieVerb(), remoteListCookiesVerb(),
			remoteRefsVerb(), remoteSummaryVerb(),
		},
	}
}

// sysrootOptions say which repository it is: one of its own, or a sysroot's.
func sysrootOptions(path *string) []cli.Option {
	return []cli.Option{
		cli.Repo("Path to OSTree repository (defaults to /sysroot/ostree/repo)"),
		cli.String(path, "sysroot", "", "PATH", "Use sysroot at PATH (overrides --repo)"),
	}
}

// openRemotes opens the repository that the command line means, and reads its remotes. The
// repository is to be closed.
func openRemotes(inv *cli.Invocation, sysroot string) (*objstore.Repo, *remote.List, error) {
	if sysroot == "" {
		repo, err := openRepo(inv)
		if err != nil {
			return nil, nil, err
		}
		list, err := remote.Load(repo)
		return repo, list, err
	}
	sysroot = absolute(sysroot)
	repo, err := openSysrootRepo(sysroot)
	if err != nil {
		return nil, nil, fmt.Errorf("loading sysroot: %w", err)
	}
	list, err := remote.LoadSysroot(repo, sysroot)
	return repo, list, err
}

// openSysrootRepo opens the repository of a sysroot.
func openSysrootRepo(sysroot string) (*objstore.Repo, error) {
	for _, part := range []struct{ path, call string }{
		{"", "opendir(" + sysroot + ")"}, {"ostree/repo", "opendir(ostree/repo)"}, {"ostree/deploy", "fstatat(ostree/deploy)"},
	} {
		switch _, err := os.Stat(filepath.Join(sysroot, part.path)); {
		case errors.Is(err, fs.ErrNotExist):
			return nil, cli.Words(part.call + ": No such file or directory")
		case err != nil:
			return nil, err
		}
	}
	return objstore.Open(filepath.Join(sysroot, "ostree/repo"))
}

// needArgs fails unless there are n arguments, which text says.
func needArgs(inv *cli.Invocation, n int, text string) error {
	if len(inv.Args) < n {
		return &cli.UsageError{Text: text + " must be specified"}
	}
	return nil
}

// completeRemote completes the name of a remote, as the first argument.
func completeRemote(inv *cli.Invocation, word string) (c cli.Completion) {
	if len(inv.Args) == 0 {
		c = completeRemoteName(inv, word)
	}
	return c
}

// completeRemoteName completes the name of a remote.
func completeRemoteName(inv *cli.Invocation, _ string) (c cli.Completion) {
	repo, list, err := openRemotes(inv, "")
	if repo != nil {
		defer repo.Close()
	}
	if err == nil {
		c.Words = list.Names()
	}
	return c
}

func remoteDeleteVerb() cli.Verb {
	var ifExists bool
	var sysroot string
	return cli.Verb{
		Name: "delete", Args: "NAME", Short: "Delete a remote repository",
		Long:   "The remote's settings are deleted, and the OpenPGP keys that were imported for it; what was pulled from it stays.",
		NoRepo: true,
		Options: append([]cli.Option{cli.Flag(&ifExists, "if-exists", "", "Do nothing if the provided remote does not exist")},
			sysrootOptions(&sysroot)...),
		Examples: []cli.Example{{Command: "deployfs remote delete --if-exists origin", Text: "forget origin, if it is there"}},
		Complete: completeRemote,
		Run:      func(_ context.Context, inv *cli.Invocation) error { return runRemoteDelete(inv, sysroot, ifExists) },
	}
}

func runRemoteDelete(inv *cli.Invocation, sysroot string, ifExists bool) error {
	repo, list, err := openRemotes(inv, sysroot)
	if repo != nil {
		defer repo.Close()
	}
	if err == nil {
		err = needArgs(inv, 1, "NAME")
	}
	if err != nil {
		return err
	}
	err = list.Delete(inv.Args[0])
	if _, absent := err.(*remote.NotFoundError); absent && ifExists {
		return nil
	}
	return err
}

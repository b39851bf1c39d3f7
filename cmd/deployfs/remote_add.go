package main

import (
	"context"

	"deployfs/cmd/internal/cli"
	"deployfs/objstore/remote"
)

// remoteAdd is what `remote add` was told.
type remoteAdd struct {
	set, verify               []string
	noGPGVerify, noSignVerify bool
	ifNotExists, force        bool
	gpgImport                 string
	backend, contentURL       []string // none, or the last that was given
	collection                []string
	sysroot                   string
}

func remoteAddVerb() cli.Verb {
	a := &remoteAdd{}
	return cli.Verb{
		Name: "add", Args: "NAME [metalink=|mirrorlist=]URL [BRANCH...]", Short: "Add a remote repository",
		Long: "BRANCHes are the refs that a pull without names takes.\n\n" +
			"Commits of a remote have to be signed with OpenPGP, by a key that --gpg-import or gpg-import gives the remote, unless --no-gpg-verify says otherwise.",
		NoRepo: true,
		Options: append([]cli.Option{
			several(&a.set, "set", "KEY=VALUE", "Set config option KEY=VALUE for remote"),
			cli.Flag(&a.noGPGVerify, "no-gpg-verify", "", "Disable GPG verification"),
			cli.Flag(&a.noSignVerify, "no-sign-verify", "", "Disable signature verification"),
			several(&a.verify, "sign-verify", "KEYTYPE=[inline|file]:PUBKEY", "Verify signatures using KEYTYPE=inline:PUBKEY or KEYTYPE=file:/path/to/key"),
			cli.Flag(&a.ifNotExists, "if-not-exists", "", "Do nothing if the provided remote exists"),
			cli.Flag(&a.force, "force", "", "Replace the provided remote if it exists"),
			cli.String(&a.gpgImport, "gpg-import", "", "FILE", "Import GPG key from FILE"),
			last(&a.backend, "custom-backend", "NAME", "This remote has content not fetched via libostree"),
			last(&a.contentURL, "contenturl", "URL", "Use URL when fetching content"),
			last(&a.collection, "collection-id", "COLLECTION-ID",
				"Globally unique ID for this repository as an collection of refs for redistribution to other repositories"),
		}, sysrootOptions(&a.sysroot)...),
		Examples: []cli.Example{
			{Command: "deployfs remote add --gpg-import=key.asc origin https://example.com/repo os/main", Text: "a remote whose commits the key signs"},
			{Command: "deployfs remote add --sign-verify=ed25519=file:/etc/keys/os origin https://example.com/repo", Text: "signed with ed25519"},
		},
		Complete: func(*cli.Invocation, string) cli.Completion { return cli.Completion{} },
		Run:      func(_ context.Context, inv *cli.Invocation) error { return a.run(inv) },
	}
}

// several is an option whose values are all taken.
func several(list *[]string, name, arg, help string) cli.Option {
	return cli.Func(func(v string) error { *list = append(*list, v); return nil }, name, "", arg, help)
}

// last is an option whose last value counts, and may be empty.
func last(value *[]string, name, arg, help string) cli.Option {
	return cli.Func(func(v string) error { *value = []string{v}; return nil }, name, "", arg, help)
}

func (a *remoteAdd) run(inv *cli.Invocation) error {
	repo, list, err := openRemotes(inv, a.sysroot)
	if repo != nil {
		defer repo.Close()
	}
	if err == nil {
		err = a.check(inv)
	}
	if err != nil {
		return err
	}
	settings, err := a.settings(inv.Args[1:])
	if err != nil {
		return err
	}
	exists := remote.Refuse
	switch {
	case a.ifNotExists:
		exists = remote.Keep
	case a.force:
		exists = remote.Replace
	}
	if err := list.Add(inv.Args[0], settings, exists); err != nil || a.gpgImport == "" {
		return err
	}
	sources, err := readKeyrings([]string{a.gpgImport})
	if err != nil {
		return err
	}
	return importKeys(inv.Stdout, repo, inv.Args[0], sources, nil)
}

func (a *remoteAdd) check(inv *cli.Invocation) error {
	err := needArgs(inv, 2, "NAME and URL")
	if a.backend != nil {
		err = needArgs(inv, 1, "NAME")
	}
	switch {
	case err != nil:
		return err
	case a.ifNotExists && a.force:
		return &cli.UsageError{Text: "Can only specify one of --if-not-exists and --force"}
	}
	return nil
}

// settings are the remote's keys, in the order in which ostree writes them; args are its URL, if it
// has one, and branches.
func (a *remoteAdd) settings(args []string) (list []remote.Setting, err error) {
	add := func(s ...remote.Setting) { list = append(list, s...) }
	if len(args) > 0 {
		add(remote.URL(args[0]))
	}
	if len(args) > 1 {
		add(remote.Words("branches", args[1:]))
	}
	for _, url := range a.contentURL {
		add(remote.Text("contenturl", url))
	}
	for _, name := range a.backend {
		add(remote.Text("custom-backend", name))
	}
	for _, text := range a.set {
		s, err := remote.ParseSetting(text)
		if err != nil {
			return nil, err
		}
		add(s)
	}
	if a.noGPGVerify || a.noSignVerify {
		add(remote.Text("gpg-verify", "false"))
	}
	if a.noSignVerify {
		if a.verify != nil {
			return nil, cli.Words("Cannot specify both --sign-verify and --no-sign-verify")
		}
		add(remote.Text("sign-verify", "false"))
	}
	verify, err := remote.ParseVerify(a.verify)
	add(verify...)
	for _, id := range a.collection {
		add(remote.Text("collection-id", id))
	}
	return list, err
}

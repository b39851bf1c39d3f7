package main

import (
	"context"
	"errors"
	"fmt"

	"deployfs/cmd/internal/cli"
	"deployfs/objstore"
	"deployfs/objstore/medium"
	"deployfs/objstore/object"
	"deployfs/objstore/pull"
	"deployfs/objstore/refs"
)

type createUSBOptions struct {
	medium.Copy
	commit *string // nil when not given
}

func createUSBVerb() cli.Verb {
	o := new(createUSBOptions)
	commit := func(text string) error { o.commit = &text; return nil }
	return cli.Verb{
		Name: "create-usb", Args: "MOUNT-PATH COLLECTION-ID REF [COLLECTION-ID REF...]", Short: "Copy the refs to a USB stick", Long: createUSBText,
		Options: []cli.Option{
			cli.Flag(&o.Fast, "disable-fsync", "", "Do not invoke fsync()"),
			cli.String(&o.Repo, "destination-repo", "", "DEST", "Use custom repository directory within the mount"),
			cli.Func(commit, "commit", "", "COMMIT", "Pull a specific commit (only works when a single ref is specified)"),
		},
		Examples: []cli.Example{
			{Command: "deployfs create-usb /media/stick org.example.Os os/main", Text: "copy a branch to a stick, for others to find it there"},
		},
		Complete: completeCollected(1),
		Run:      withRepo(o.run),
	}
}

const createUSBText = `Copies refs of collections to a medium, with their newest commits and all that these need: to the repository .ostree/repo, an archive, which is made if it is not there. Where others have mounted the medium, find-remotes finds them.

With --destination-repo it is another directory of the medium, to which then a link in .ostree/repos.d leads. What is on a medium already is not trusted: nothing is written through a link that leads out of it, and a repository there may have no parent.`

func (o *createUSBOptions) run(ctx context.Context, inv *cli.Invocation, src *objstore.Repo) error {
	if err := o.checkArgs(inv.Args); err != nil {
		return err
	}
	m, err := medium.Open(inv.Args[0])
	if err != nil {
		return err
	}
	defer m.Close()
	if o.Pull.CollectionRefs, err = collectionRefs(inv.Args[1:]); err != nil {
		return err
	}
	if o.commit != nil {
		sum, err := object.ParseChecksum(*o.commit)
		if err == nil && sum.IsZero() {
			err = cli.Words("Importing " + sum.String() + ".commit: No such file or directory")
		}
		if err != nil {
			return err
		}
		o.Pull.Commits = map[refs.Name]object.Checksum{o.Pull.CollectionRefs[0]: sum}
	}
	if err := o.copy(ctx, inv, m, src); err != nil {
		return err
	}
	n := len(o.Pull.CollectionRefs)
	_, err = fmt.Fprintf(inv.Stdout, "Copied %d/%d refs successfully from ‘%s’ to ‘%s’ repository in ‘%s’.\n", n, n, src.Path(), o.Destination(), m.Path())
	return err
}

func (o *createUSBOptions) checkArgs(args []string) error {
	if len(args) == 0 {
		return &cli.UsageError{Text: "A MOUNT-PATH must be specified"}
	}
	if err := checkPairs(args[1:]); err != nil {
		return err
	}
	if o.commit != nil && len(args) > 3 {
		return &cli.UsageError{Text: "The --commit option can only be used when a single COLLECTION-ID REF pair is specified"}
	}
	return nil
}

func (o *createUSBOptions) copy(ctx context.Context, inv *cli.Invocation, m *medium.Medium, src *objstore.Repo) error {
	o.Pull.Progress = new(pull.Progress)
	progress := cli.StartProgress(inv.Stderr, func() string { return localProgress(o.Pull.Progress) })
	o.Pull.Warn = func(err error) {
		progress.Aside(func() { fmt.Fprintf(inv.Stderr, "warning: %v; it is taken over as it is\n", err) })
	}
	err := m.Copy(ctx, src, o.Copy)
	progress.Stop("")
	switch {
	case errors.Is(err, medium.ErrOutside):
		return &cli.UsageError{Text: "--destination-repo must be a descendent of MOUNT-PATH"}
	case errors.Is(err, medium.ErrSource):
		return &cli.UsageError{Text: "--destination-repo must not be the source repository"}
	}
	return err
}

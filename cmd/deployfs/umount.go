package main

import (
	"context"

	"deployfs/cmd/internal/cli"
	"deployfs/mount/daemon"
)

func umountVerb() cli.Verb {
	lazy := new(bool)
	return cli.Verb{
		Name: "umount", Args: "MOUNTPOINT", Short: "Take a mount away", Ours: true, NoRepo: true,
		Long: "Returns when the server has ended and the repository's lock is free; with --lazy at once. Plain umount(8) does the same without waiting. It refuses what deployfs did not mount.",
		Options: []cli.Option{
			cli.Flag(lazy, "lazy", "", "Take it out of the tree at once, and end it with its last user"),
		},
		Examples: []cli.Example{{Command: "deployfs umount /mnt", Text: "end a mount, and its writable layer"}},
		Complete: completeMountpoint,
		Run: func(_ context.Context, inv *cli.Invocation) error {
			if len(inv.Args) != 1 {
				return &cli.UsageError{Text: "one mountpoint is needed"}
			}
			return daemon.Unmount(inv.Args[0], *lazy)
		},
	}
}

// completeMountpoint completes what is mounted.
func completeMountpoint(*cli.Invocation, string) (c cli.Completion) {
	list, err := daemon.List()
	if err != nil {
		return c
	}
	for _, s := range list {
		c.Words = append(c.Words, s.Mountpoint)
	}
	return c
}

package main

import (
	"strings"

	"deployfs/mount/daemon"
	"deployfs/objstore/lazy"
)

// branchRemedy tells who pulled no branch, or one that the remote's summary lacks, how to list them.
func branchRemedy(err error, remote string) error {
	text, list := err.Error(), "`ostree remote refs "+remote+"` lists "
	switch {
	case lazy.IsURL(remote): // of which no verb lists the refs
	case strings.HasPrefix(text, "No configured branches for remote "):
		return &daemon.Failure{Text: text, Remedy: "name a branch; " + list + "them, if the server has a summary"}
	case strings.HasPrefix(text, "No such branch '"):
		return &daemon.Failure{Text: text, Remedy: list + "the branches there are"}
	}
	return err
}

package main

import (
	"strings"

	"deployfs/cmd/internal/cli"
)

// completers complete the values of options.
type completers = map[string]func(inv *cli.Invocation, word string) cli.Completion

// completeSubpath completes a path inside the commit that the first argument names.
func completeSubpath(inv *cli.Invocation, word string) (c cli.Completion) {
	if len(inv.Args) > 0 {
		c = completeRevPaths(inv, word)
	}
	return c
}

// completePull completes a repository, then refs of it.
func completePull(inv *cli.Invocation, word string) cli.Completion {
	if len(inv.Args) == 0 {
		return cli.Completion{Dirs: true}
	}
	src := *inv
	src.Repo, src.RepoGiven = inv.Args[0], true
	return completeRevs(&src, word)
}

// completeTree completes dir=PATH, tar=TARFILE or ref=COMMIT.
func completeTree(inv *cli.Invocation, word string) cli.Completion {
	kind, _, ok := strings.Cut(word, "=")
	switch {
	case !ok:
		return cli.Completion{Words: []string{"dir=", "tar=", "ref="}, Open: true}
	case kind != "ref":
		return cli.Completion{Files: true}
	}
	c := completeRevs(inv, "")
	for i := range c.Words {
		c.Words[i] = "ref=" + c.Words[i]
	}
	return c
}

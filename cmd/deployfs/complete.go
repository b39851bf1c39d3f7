package main

import (
	"path"
	"strings"

	"deployfs/cmd/internal/cli"
	"deployfs/objstore/tree"
)

// completeRevs completes refs of the repository.
func completeRevs(inv *cli.Invocation, _ string) (c cli.Completion) {
	repo, err := openRepo(inv)
	if err != nil {
		return c
	}
	defer repo.Close()
	refs, err := repo.Refs()
	if err != nil {
		return c
	}
	for _, ref := range refs {
		c.Words = append(c.Words, ref.String())
	}
	return c
}

// completeRev completes one ref, and nothing after it.
func completeRev(inv *cli.Invocation, word string) (c cli.Completion) {
	if len(inv.Args) == 0 {
		c = completeRevs(inv, word)
	}
	return c
}

// completeRevDir completes a ref, then a directory of this machine.
func completeRevDir(inv *cli.Invocation, word string) cli.Completion {
	if len(inv.Args) == 1 {
		return cli.Completion{Dirs: true}
	}
	return completeRev(inv, word)
}

// completeRevPaths completes a ref, then paths inside its commit.
func completeRevPaths(inv *cli.Invocation, word string) (c cli.Completion) {
	if len(inv.Args) == 0 {
		return completeRevs(inv, word)
	}
	repo, err := openRepo(inv)
	if err != nil {
		return c
	}
	defer repo.Close()
	dir, err := resolveTree(repo, inv.Args[0])
	if err == nil {
		dir, err = tree.Lookup(repo, dir, path.Dir("/"+word+"x"))
	}
	if err != nil {
		return c
	}
	children, err := tree.Children(repo, dir)
	if err != nil {
		return c
	}
	c.Open = true
	for _, e := range children {
		if e.IsDir() {
			e.Path += "/"
		}
		if word != "" && word[0] != '/' {
			e.Path = e.Path[1:]
		}
		c.Words = append(c.Words, e.Path)
	}
	return c
}

// completeLog completes a ref and, behind --, paths inside its commit.
func completeLog(inv *cli.Invocation, word string) (c cli.Completion) {
	if len(inv.Args) == 0 || inv.Dashes {
		c = completeRevPaths(inv, word)
	}
	return c
}

// completeRevsPaths completes refs or REV:PATH and, behind --, paths inside the first commit.
func completeRevsPaths(inv *cli.Invocation, word string) cli.Completion {
	if inv.Dashes {
		return completeRevPaths(inv, word)
	}
	return completeRevPath(inv, word)
}

// completeEither completes REV and paths, or REV:PATH, several when the first is one.
func completeEither(inv *cli.Invocation, word string) cli.Completion {
	if len(inv.Args) == 0 {
		return completeRevPath(inv, word)
	}
	if strings.Contains(inv.Args[0], ":") && isRevPath(inv) {
		return completeRevPath(inv, word)
	}
	return completeRevPaths(inv, word)
}

// isRevPath reports whether the first argument is a REV:PATH.
func isRevPath(inv *cli.Invocation) bool {
	repo, err := openRepo(inv)
	if err != nil {
		return false
	}
	defer repo.Close()
	_, found, _ := findRevPath(repo, inv.Args[0])
	return found
}

// completeRevPath completes a ref or, behind a colon, a path inside its commit.
func completeRevPath(inv *cli.Invocation, word string) (c cli.Completion) {
	at := strings.LastIndexByte(word, ':')
	if at < 0 {
		c = completeRevs(inv, word)
		c.Open = true
		return c
	}
	rev := word[:at+1]
	inner := *inv
	inner.Args = []string{rev[:at]}
	c = completeRevPaths(&inner, word[at+1:])
	for i := range c.Words {
		c.Words[i] = rev + c.Words[i]
	}
	if len(c.Words) == 0 { // a remote's refs
		c = completeRevs(inv, word)
	}
	return c
}

package main

import (
	"strings"

	"deployfs/cmd/internal/cli"
)

// completeFetch completes a remote, then the refs that were pulled from it; or REMOTE:REF.
func completeFetch(inv *cli.Invocation, word string) (c cli.Completion) {
	if len(inv.Args) == 0 && !strings.Contains(word, ":") {
		return completeRemoteName(inv, word)
	}
	if len(inv.Args) == 0 {
		return completeRevs(inv, word)
	}
	front := inv.Args[0] + ":"
	for _, ref := range completeRevs(inv, word).Words {
		if ref, ok := strings.CutPrefix(ref, front); ok {
			c.Words = append(c.Words, ref)
		}
	}
	return c
}

// completeRemoteRef completes REMOTE:REF.
func completeRemoteRef(inv *cli.Invocation, word string) (c cli.Completion) {
	if strings.Contains(word, ":") {
		return completeRevs(inv, word)
	}
	c = completeRemoteName(inv, word)
	for i := range c.Words {
		c.Words[i] += ":"
	}
	c.Open = true
	return c
}

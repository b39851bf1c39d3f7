package main

import (
	"os"
	"slices"
	"strings"
	"testing"

	"deployfs/cmd/internal/cli"
	"deployfs/objstore"
	"deployfs/objstore/object"
	"deployfs/objstore/refs"
)

func TestCompleteRemotes(t *testing.T) {
	path := t.TempDir() + "/repo"
	repo, err := objstore.Create(path, objstore.Setup{Mode: objstore.Archive})
	if err != nil {
		t.Fatal(err)
	}
	defer repo.Close()
	config, err := os.OpenFile(path+"/config", os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	config.WriteString("\n[remote \"orig\"]\nurl=file:///nowhere\n")
	config.Close()
	for _, ref := range []refs.Name{{Ref: "dev"}, {Remote: "orig", Ref: "main"}} {
		if err := repo.SetRef(ref, object.Checksum{1}); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		complete func(*cli.Invocation, string) cli.Completion
		args     []string
		word     string
		want     []string // that begin with word
	}{
		{completeFetch, nil, "", []string{"orig"}},
		{completeFetch, nil, "orig:", []string{"orig:main"}},
		{completeFetch, []string{"orig"}, "", []string{"main"}},
		{completeFetch, []string{"orig", "x"}, "m", []string{"main"}},
		{completeFetch, []string{"else"}, "", nil},
		{completeRemoteRef, nil, "o", []string{"orig:"}},
		{completeRemoteRef, nil, "orig:m", []string{"orig:main"}},
		{completeRemoteName, []string{"x"}, "", []string{"orig"}},
		{completeRemote, []string{"x"}, "", nil},
	} {
		inv := &cli.Invocation{Program: program(), Args: c.args, Repo: path, RepoGiven: true}
		var words []string
		for _, w := range c.complete(inv, c.word).Words {
			if strings.HasPrefix(w, c.word) {
				words = append(words, w)
			}
		}
		if !slices.Equal(words, c.want) {
			t.Errorf("%q, %q: %q, want %q", c.args, c.word, words, c.want)
		}
	}
}

package cli

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// groupProgram has a verb that is a group, with a group in it.
func groupProgram() *Program {
	show := func(_ context.Context, inv *Invocation) error {
		if len(inv.Args) > 0 && inv.Args[0] == "help" {
			return ErrHelp
		}
		_, err := inv.Stdout.WriteString(strings.Join(inv.Args, ","))
		return err
	}
	words := func(*Invocation, string) Completion { return Completion{Words: []string{"alpha"}} }
	return &Program{Name: "prog", Release: "libprog", Version: "1", Verbs: []Verb{
		{Name: "remote", Args: "COMMAND", Short: "Remotes", NoRepo: true, Verbs: []Verb{
			{Name: "add", Args: "NAME", Short: "Add one", Long: "Much.", Run: show, Complete: words},
			{Name: "secret", Short: "Hidden", Hidden: true, Run: show},
			{Name: "keys", Args: "COMMAND", Short: "Keys", NoRepo: true, Verbs: []Verb{{Name: "list", Short: "List keys", Run: show}}},
		}},
		{Name: "delta", Args: "COMMAND", Short: "Deltas", Verbs: []Verb{{Name: "list", Short: "List deltas", Run: show, Options: []Option{
			Newer(Flag(new(bool), "late", "", "Come late")), Hidden(Flag(new(bool), "dark", "", "Hide")),
		}}}},
		HelpVerb(), ManVerb(),
	}}
}

func TestGroups(t *testing.T) {
	for _, c := range []struct {
		line string
		code int
		want string // a part of what is printed
	}{
		{"remote add a b", 0, "a,b"},
		{"--repo=r remote -v add a -- -b", 0, "a,-b"},
		{"remote secret a", 0, "a"},
		{"remote keys list a", 0, "a"},
		{"remote", 1, "Usage:\n  prog remote [OPTION…] COMMAND\n\nRemotes\n\nBuiltin \"remote\" Commands:\n  add               Add one\n  keys              Keys\n\n"},
		{"remote", 1, "error: No \"remote\" subcommand specified\n"},
		{"remote keys drop", 1, "error: Unknown \"remote keys\" subcommand 'drop'\n"},
		{"remote --nope", 1, "error: Unknown option --nope\n"},
		{"--repo=r remote", 1, "error: Unknown option --repo=r\n"},
		{"--repo=r delta", 1, "error: No command specified\n"},
		{"--repo=r delta drop", 1, "error: Unknown \"delta\" subcommand 'drop'\n"},
		{"--repo=r delta --help", 0, "Builtin \"delta\" Commands:\n"},
		{"--repo=r delta list a", 0, "a"},
		{"remote --help", 0, "Builtin \"remote\" Commands:\n"},
		{"remote -v", 1, "error: No \"remote\" subcommand specified\n"},
		{"remote --version", 0, "libprog:\n Version: '1'\n"},
		{"remote add --help", 0, "Usage:\n  prog remote add [OPTION…] NAME\n\nAdd one\n"},
		{"remote add help", 0, "Usage:\n  prog remote add [OPTION…] NAME\n\nAdd one\n"},
		{"help remote add", 0, "Much."},
		{"help remote", 0, "Builtin \"remote\" Commands:\n"},
		{"help remote drop", 2, "error: no verb 'drop'\n"},
		{"man remote keys list", 0, ".TH PROG\\-REMOTE\\-KEYS\\-LIST 1"},
		{"__complete remote a", 0, "add\tAdd one\n:4\n"},
		{"__complete --repo=r remote a", 0, "add\tAdd one\n:4\n"},
		{"__complete --repo r delta l", 0, "list\tList deltas\n:4\n"},
		{"__complete --repo=r rem", 0, "remote\tRemotes\n:4\n"},
		{"__complete -v remote add x al", 0, "alpha\n:4\n"},
		{"__complete help remote k", 0, "keys\n:4\n"},
	} {
		var out bytes.Buffer
		code := groupProgram().run(context.Background(), strings.Fields(c.line), &out, &out)
		if code != c.code || !strings.Contains(out.String(), c.want) {
			t.Errorf("%s: exit %d\n%s\nwant %q", c.line, code, out.String(), c.want)
		}
	}
}

func TestGroupPages(t *testing.T) {
	dir := t.TempDir()
	if err := groupProgram().writePages(dir); err != nil {
		t.Fatal(err)
	}
	names, _ := filepath.Glob(dir + "/*")
	for i := range names {
		names[i] = filepath.Base(names[i])
	}
	want := []string{"prog-delta-list.1", "prog-delta.1", "prog-help.1", "prog-remote-add.1", "prog-remote-keys-list.1", "prog-remote-keys.1", "prog-remote.1", "prog.1"}
	if !slices.Equal(names, want) {
		t.Errorf("pages %q, want %q", names, want)
	}
	page, _ := os.ReadFile(dir + "/prog-remote.1")
	if want := ".SH VERBS\n.TP\n\\fBprog\\-remote\\-add(1)\\fR\nAdd one\n"; !strings.Contains(string(page), want) {
		t.Errorf("the group's page lacks %q:\n%s", want, page)
	}
}

// TestTerse: help of a program that stands in for another has its form and no more.
func TestTerse(t *testing.T) {
	p := groupProgram()
	p.Terse = true
	var out bytes.Buffer
	if p.run(context.Background(), []string{"remote", "add", "-h"}, &out, &out); strings.Contains(out.String(), "Much.") {
		t.Error(out.String())
	}
	for _, terse := range []bool{false, true} {
		p.Terse = terse
		out.Reset()
		p.run(context.Background(), []string{"delta", "list", "-h"}, &out, &out)
		if strings.Contains(out.String(), "--late") == terse || strings.Contains(out.String(), "--dark") {
			t.Errorf("Terse is %v:\n%s", terse, out.String())
		}
	}
	for text, want := range map[string]bool{"": false, "`deployfs mount` does": false, "wait": true} {
		if p.mayHint(text) != want {
			t.Errorf("hint %q: want %v", text, want)
		}
	}
}

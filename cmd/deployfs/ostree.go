package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"deployfs/cmd/internal/cli"
)

// ostreeFeatures are those that `ostree --version` lists and that this program has, too: what asks
// for them gets what ostree does.
var ostreeFeatures = []string{
	"gpgme",        // signatures by OpenPGP keys
	"sign-ed25519", // and by Ed25519 ones
	"sign-spki",    // and by those that openssl makes
	"libarchive",   // commit --tree=tar=, export
	"p2p",          // find-remotes, create-usb
}

// isOstree tells whether this program stands in for ostree: by a link of that name.
func isOstree(args []string) bool { return len(args) > 0 && filepath.Base(args[0]) == "ostree" }

// ostreeMain is main under the name ostree: the verbs that ostree has, and programs that extend it.
func ostreeMain(args []string) int {
	p := ostreeProgram()
	if word := extension(p, args[1:]); word != "" {
		if path, err := findProgram("ostree-" + word); err == nil {
			args[0] = "ostree-" + word
			err := unix.Exec(path, args, os.Environ())
			fmt.Fprintf(os.Stderr, "error: Executing %s: %v\n", args[0], err)
			return 1
		}
	}
	return p.Main(args)
}

func ostreeProgram() *cli.Program {
	p := program()
	p.Name, p.Release, p.Features, p.Terse = "ostree", "libostree", ostreeFeatures, true
	p.Verbs = append([]cli.Verb{adminVerb()}, slices.DeleteFunc(p.Verbs, func(v cli.Verb) bool { return v.Ours })...)
	for i := range p.Verbs { // its help does not list its test server
		p.Verbs[i].Hidden = p.Verbs[i].Hidden || p.Verbs[i].Name == "trivial-httpd"
	}
	return p
}

// extension returns the word where a verb would be when p has no such verb.
func extension(p *cli.Program, args []string) string {
	at := slices.IndexFunc(args, func(arg string) bool { return arg != "" && !strings.HasPrefix(arg, "-") })
	if at < 0 || slices.ContainsFunc(p.Verbs, func(v cli.Verb) bool { return v.Name == args[at] }) {
		return ""
	}
	return args[at]
}

// findProgram looks for a program along PATH, also where that is relative: execvp(3) does so.
func findProgram(name string) (string, error) {
	path, err := exec.LookPath(name)
	if errors.Is(err, exec.ErrDot) {
		err = nil
	}
	return path, err
}

// adminVerb hands over to deployctl, with all options.
func adminVerb() cli.Verb {
	return cli.Verb{
		Name: "admin", Args: "COMMAND", Short: "Commands for managing a host system booted with ostree", NoRepo: true,
		Ends:     func([]string) bool { return true },
		Complete: func(*cli.Invocation, string) cli.Completion { return cli.Completion{} },
		Run:      func(_ context.Context, inv *cli.Invocation) error { return runAdmin(inv.Args) },
	}
}

// deployctl is the program whose verbs ostree has below admin.
const deployctl = "deployctl"

func runAdmin(args []string) error {
	path, err := findDeployctl()
	switch {
	case err != nil && (slices.Contains(args, "--help") || slices.Contains(args, "-h")):
		return cli.ErrHelp
	case err != nil:
		return noDeployctl{}
	}
	if err := unix.Exec(path, append([]string{"ostree admin"}, args...), os.Environ()); err != nil {
		return fmt.Errorf("running %s: %w", path, err)
	}
	return nil
}

// findDeployctl looks beside this executable, then along PATH.
func findDeployctl() (string, error) {
	if self, err := os.Executable(); err == nil {
		beside := filepath.Join(filepath.Dir(self), deployctl)
		if unix.Access(beside, unix.X_OK) == nil {
			return beside, nil
		}
	}
	return findProgram(deployctl)
}

// noDeployctl is a command of ostree admin on a machine without the program for it.
type noDeployctl struct{}

func (noDeployctl) Error() string {
	return "ostree admin: no program deployctl, which has its commands"
}
func (noDeployctl) Hint() string {
	return "deployctl belongs beside deployfs, or into a directory of PATH"
}

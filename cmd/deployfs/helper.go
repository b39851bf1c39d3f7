package main

import (
	"context"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"deployfs/cmd/internal/cli"
	"deployfs/mount"
	"deployfs/mount/daemon"
	"deployfs/objstore/lazy"
)

// What mount(8) understands of an exit status.
const (
	mountUsage       = 1
	mountInterrupted = 8
	mountFailure     = 32
)

// helper is one call by mount(8), as its helpers are called: SOURCE DIR [-sfnv] [-o OPTIONS] [-t TYPE].
type helper struct {
	options []string
	sloppy  bool // ignore what is unknown
	fake    bool // do all but mount
	call    []string
}

// isHelper tells whether mount(8) runs this program: by a link that is named as its helpers are, or,
// by way of mount.fuse3, under its own name, with a source where a verb would be.
func isHelper(args []string) bool {
	if len(args) < 2 || strings.HasPrefix(args[1], "-") || slices.ContainsFunc(program().Verbs, func(v cli.Verb) bool { return v.Name == args[1] }) {
		return false
	}
	name := filepath.Base(args[0])
	return name == "mount.fuse.deployfs" || name == "mount.deployfs" || strings.HasPrefix(args[1], "/") || strings.Contains(args[1], "#")
}

// helperMain is main for mount(8): it turns the call into one of the verb mount, and the status of
// that into one that mount(8) understands.
func helperMain(args []string) int {
	h := &helper{}
	p := &cli.Program{Name: "deployfs", Version: version, Verbs: []cli.Verb{h.verb()}}
	if p.Main(append([]string{p.Name, p.Verbs[0].Name}, args[1:]...)) != 0 {
		return mountUsage
	}
	if h.call == nil {
		return 0
	}
	os.Args = append(args[:1:1], h.call...) // a server in the background is started with them
	switch program().Main(os.Args) {
	case 0:
		return 0
	case 2:
		return mountUsage
	case 130:
		return mountInterrupted
	}
	return mountFailure
}

func (h *helper) verb() cli.Verb {
	var ignored bool
	var kind string
	add := func(list string) error { h.options = append(h.options, list); return nil }
	return cli.Verb{
		Name: "mount.deployfs", Args: "{REPO#REV|URL#REF} MOUNTPOINT", Short: "Mount a commit for mount(8)", Ours: true, NoRepo: true,
		Options: []cli.Option{
			cli.Func(add, "options", "o", "OPTIONS", "Options of deployfs-mount(1), and those that mount(8) knows, separated by commas"),
			cli.Flag(&h.sloppy, "sloppy", "s", "Ignore options that are unknown"),
			cli.Flag(&h.fake, "fake", "f", "Do all but mount"),
			cli.Flag(&ignored, "no-mtab", "n", "Ignored"),
			cli.String(&kind, "types", "t", "TYPE", "Ignored"),
		},
		Run: h.run,
	}
}

// run leaves in h.call the arguments of this program that do what mount(8) wants, or nothing when
// there is nothing to do.
func (h *helper) run(_ context.Context, inv *cli.Invocation) error {
	if len(inv.Args) != 2 {
		return &cli.UsageError{Text: fmt.Sprintf("a source and a mountpoint are needed, not %d arguments", len(inv.Args))}
	}
	source, dir := inv.Args[0], inv.Args[1]
	options, err := h.translate()
	if err != nil {
		return err
	}
	repo, rev, ok := mount.SplitSource(source)
	names := []string{rev, dir}
	history := slices.Contains(options, "--history")
	if history {
		repo, rev, ok = strings.TrimSuffix(source, "#history"), "", true // as the mount table has it
		names = []string{dir}
	}
	if !ok {
		return &daemon.Failure{Text: fmt.Sprintf("mount %s: %s names no commit", daemon.Line(dir), daemon.Line(source)),
			Remedy: "a source is REPO#REV, as /ostree/repo#os/main"}
	}
	place := []string{"--repo=" + repo}
	if lazy.IsURL(source) {
		repo, place, names = lazy.Shown(repo), []string{"--remote=" + source}, []string{dir}
	} else {
		repo = absolute(repo)
	}
	if slices.ContainsFunc(options, func(o string) bool { return strings.HasPrefix(o, "--remote=") }) {
		names = []string{dir}
	}
	if h.fake || isMounted(daemon.Status{Repo: repo, Rev: rev, History: history}, dir) {
		return nil
	}
	h.call = slices.Concat([]string{"mount"}, place, options, []string{"--"}, names)
	return completeEnvironment()
}

// isMounted tells whether dir shows what is asked for already. `mount -a` can't know: the mount
// table has the commit where fstab has a ref.
func isMounted(want daemon.Status, dir string) bool {
	entry, err := mount.Lookup(dir)
	if err != nil || entry.Type != "fuse.deployfs" && entry.Type != "overlay" {
		return false
	}
	list, err := daemon.List()
	return err == nil && slices.ContainsFunc(list, func(s daemon.Status) bool {
		return s.Device == entry.Dev.String() && s.PID != 0 && s.Repo == want.Repo && s.Rev == want.Rev && s.History == want.History
	})
}

// completeEnvironment gives back what mount(8) takes away: the way to fusermount3, and to the user's
// cache directory.
func completeEnvironment() error {
	for name, value := range map[string]func() string{
		"PATH": func() string { return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" },
		"HOME": homeDir,
	} {
		if os.Getenv(name) != "" {
			continue
		}
		if err := os.Setenv(name, value()); err != nil {
			return err
		}
	}
	return nil
}

// homeDir is the user's, or "" when nobody knows it.
func homeDir() string {
	u, err := user.LookupId(strconv.Itoa(os.Geteuid()))
	if err != nil {
		return ""
	}
	return u.HomeDir
}

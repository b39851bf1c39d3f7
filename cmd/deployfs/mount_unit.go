package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"deployfs/cmd/internal/cli"
	"deployfs/mount"
	"deployfs/mount/unit"
	"deployfs/objstore/lazy"
)

// printUnit prints units for exactly this command line.
func (o *mountOptions) printUnit(inv *cli.Invocation) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	repo, rev, dir := o.cfg.Repo, o.cfg.Rev, place(o.cfg.Mountpoint)
	var words, options []string
	needs := []string{repo}
	if o.cfg.Remote != "" {
		repo, rev, needs = o.farUnit(repo)
	}
	for _, g := range inv.Given {
		if g.Name == "repo" || g.Name == "verbose" || slices.Contains(notForHelper, g.Name) {
			continue
		}
		if g.Arg == "DIR" || g.Arg == "FILE" {
			g.Value = absolute(g.Value)
			needs = append(needs, g.Value)
		}
		words = append(words, g.Word())
		if g.Name != "remote" || repo != "" {
			options = append(options, strings.TrimPrefix(g.Word(), "--"))
		}
	}
	title, source, names := "deployfs: "+rev+" of "+repo, repo+"#"+rev, []string{rev, dir}
	if o.cfg.History {
		title, source, names = "deployfs: history of "+repo, repo, []string{dir}
	}
	first, who := []string{"mount", "--foreground", "--repo=" + repo}, manager(needs)
	if o.cfg.Remote != "" {
		title, names = "deployfs: "+lazy.Shown(rev), []string{dir}
		who = max(who, unit.Remote)
		if repo == "" {
			source, first = rev, first[:2]
		}
	}
	var text string
	if o.automount {
		a := unit.Automount{Source: source, Mountpoint: dir, Options: options, Title: title, Needs: needs, Manager: who}
		text, err = a.Text()
	} else {
		args := slices.Concat(first, words, []string{"--"}, names)
		text = unit.Service{Program: program, Args: args, Mountpoint: dir, Title: title, Needs: needs, Manager: who}.Text()
	}
	if err == nil {
		_, err = inv.Stdout.WriteString(text)
	}
	return err
}

// farUnit is what stands for repository and commit of what is on a server, and what that needs: a
// repository where a remote is configured in it.
func (o *mountOptions) farUnit(repo string) (where, rev string, needs []string) {
	if lazy.IsURL(o.cfg.Remote) {
		return "", o.cfg.Remote, nil
	}
	return repo, o.cfg.Remote, []string{repo}
}

// place is the mountpoint as the mount table will show it, also when it is not there yet.
func place(dir string) string {
	if name, err := mount.Canonical(dir); err == nil {
		return name
	}
	return absolute(dir)
}

// remoteTypes are file systems that come with the network.
var remoteTypes = strings.Fields("nfs nfs4 cifs smb3 ceph 9p afs glusterfs fuse.glusterfs fuse.sshfs ocfs2 gfs2")

// manager is who is to run a unit that needs these paths.
func manager(needs []string) unit.Manager {
	if os.Geteuid() != 0 {
		return unit.User
	}
	table, err := mount.Table()
	if err != nil {
		return unit.Local
	}
	for _, path := range needs {
		for ; ; path = filepath.Dir(path) {
			if e, ok := mount.At(table, path); ok {
				if slices.Contains(remoteTypes, e.Type) {
					return unit.Remote
				}
				break
			}
			if path == "/" {
				break
			}
		}
	}
	return unit.Local
}

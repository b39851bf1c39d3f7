package main

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"deployfs/cmd/internal/cli"
	"deployfs/mount"
	"deployfs/mount/daemon"
	"deployfs/objstore"
	"deployfs/objstore/compare"
	"deployfs/objstore/identity"
	"deployfs/objstore/object"
	"deployfs/objstore/tree"
)

// isLocal reports whether an argument is a directory of this machine.
func isLocal(arg string) bool { return strings.HasPrefix(arg, "/") || strings.HasPrefix(arg, "./") }

// open opens both sides. Done ends the progress and saves what was learned of local files.
func (d *differ) open(ctx context.Context) (done func(), err error) {
	noXattrs, err := d.withoutXattrs()
	if err != nil {
		return nil, err
	}
	hashed := new(compare.Amount)
	var known []*identity.Cache
	side := func(arg string, repo *objstore.Repo, uid, gid int) (compare.Side, error) {
		if !isLocal(arg) {
			root, err := resolveTree(repo, arg)
			return &compare.Commit{Repo: repo, Dir: root}, err
		}
		dir := &compare.Directory{Path: absolute(arg), Repo: d.repo, NoXattrs: noXattrs, UID: uid, GID: gid, Hashed: hashed, Stop: ctx.Err}
		if d.rehash {
			return dir, nil
		}
		if m := d.mounted(dir); m != nil {
			return m, nil
		}
		dir.Known = identity.Open(filepath.Join(daemon.CacheDir(), "identities"), dir.Path)
		known = append(known, dir.Known)
		return dir, nil
	}
	if d.old, err = side(d.fromRev, d.fromRepo, -1, -1); err != nil {
		return nil, err
	}
	if d.new, err = side(d.toRev, d.toRepo, d.uid, d.gid); err != nil {
		return nil, err
	}
	d.startProgress(hashed)
	return func() {
		d.calm()
		for _, k := range known {
			k.Save() // it is only slower the next time
		}
	}, nil
}

// startProgress tells on a terminal how far it has come, until something is printed.
func (d *differ) startProgress(hashed *compare.Amount) {
	p := cli.StartProgress(d.inv.Stderr, func() string {
		text := fmt.Sprintf("%d changes", d.found.Load())
		if n := d.told.Load(); n > 0 {
			text += fmt.Sprintf(", %d looked at", n)
		}
		if n := hashed.Files.Load(); n > 0 {
			text += fmt.Sprintf(", %d files hashed, %s", n, amount(hashed.Bytes.Load()))
		}
		return text
	})
	d.calm = sync.OnceFunc(func() { p.Stop("") })
}

// withoutXattrs reports whether local files are taken as if they had no xattrs: that is asked for, or
// the repository has none.
func (d *differ) withoutXattrs() (bool, error) {
	if d.noXattrs || isLocal(d.from) && isLocal(d.to) {
		return d.noXattrs, nil
	}
	disabled, err := d.repo.Config().Bool("core", "disable-xattrs", false)
	return disabled || d.repo.Mode() == objstore.BareUserOnly, err
}

// mounted is a directory that shows nothing but a commit of the repository, as a side; nil for any
// other, and where files count as something else than what they are.
func (d *differ) mounted(dir *compare.Directory) compare.Side {
	if dir.NoXattrs || dir.UID >= 0 || dir.GID >= 0 {
		return nil
	}
	status, at, ok, err := daemon.Find(dir.Path)
	if !ok || err != nil || status.Overlay != "" || !sameFile(status.Repo, d.repo.Path()) || !showsAlone(status, dir.Path) {
		return nil
	}
	sum, err := object.ParseChecksum(status.Commit)
	if err != nil {
		return nil
	}
	commit, err := d.repo.Commit(sum)
	if err != nil {
		return nil
	}
	root, err := tree.Lookup(d.repo, tree.Root(commit), path.Join(status.Subpath, at))
	if err != nil || !root.IsDir() {
		return nil
	}
	root.Path = "/"
	m := &compare.Mounted{Path: dir.Path}
	m.Repo, m.Dir = d.repo, root
	if d.beyond() {
		return &m.Commit
	}
	return m
}

func sameFile(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

// showsAlone reports whether a directory is a mount's own, with nothing mounted below it.
func showsAlone(s daemon.Status, dir string) bool {
	var st unix.Stat_t
	if unix.Stat(dir, &st) != nil || fmt.Sprintf("%d:%d", unix.Major(st.Dev), unix.Minor(st.Dev)) != s.Device {
		return false
	}
	name, err := mount.Canonical(dir)
	if err != nil {
		return false
	}
	table, err := mount.Table()
	if err != nil {
		return false
	}
	for _, e := range table {
		if strings.HasPrefix(e.Mountpoint, strings.TrimSuffix(name, "/")+"/") {
			return false
		}
	}
	return true
}

// Package media tells on which mounts media are that come and go, such as USB sticks: those
// that desktops show.
//
// The rules are those of GLib, by which ostree finds media: file systems, not parts of them,
// that are mounted below /media, below /run/media, where each user has a directory, or below
// the home directory.
//
// Source: GLib, gio/gunixmounts.c, g_unix_mount_guess_should_display.
package media

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"deployfs/mount"
)

// Paths lists where media are mounted, each path once, in the order of the mount table.
func Paths() ([]string, error) {
	table, err := mount.Table()
	if err != nil {
		return nil, err
	}
	return viewer{home: os.Getenv("HOME"), name: userName(), root: os.Getuid() == 0}.paths(table), nil
}

// viewer is for whom media are looked for.
type viewer struct {
	home string
	name string
	root bool
}

func (u viewer) paths(table []mount.Entry) (paths []string) {
	for _, e := range table {
		if u.shows(e) && !slices.Contains(paths, e.Mountpoint) {
			paths = append(paths, e.Mountpoint)
		}
	}
	return paths
}

func (u viewer) shows(e mount.Entry) bool {
	path := e.Mountpoint
	switch {
	case e.Root != "/" || internal(e) || strings.Contains(path, "/."):
		return false
	case below(path, "/media"):
		above := filepath.Dir(path)
		return above == "/media" || unix.Access(above, unix.R_OK|unix.X_OK) == nil
	case u.root && below(path, "/run/media"), u.name != "" && below(path, "/run/media/"+u.name):
		return true
	}
	return filepath.IsAbs(u.home) && below(path, filepath.Clean(u.home))
}

func below(path, dir string) bool { return dir != "/" && strings.HasPrefix(path, dir+"/") }

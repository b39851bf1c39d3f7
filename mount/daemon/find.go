package daemon

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"deployfs/mount"
	"deployfs/objstore/object"
)

// Find is the mount that path lies in, and where path is in the tree that it
// shows; false when that is no mount of ours. Of a mount that shows all commits,
// Commit is the one in whose tree path lies, or "".
func Find(path string) (s Status, at string, ok bool, err error) {
	name, err := mount.Canonical(path)
	if err != nil {
		return s, "", false, err
	}
	table, err := mount.Table()
	if err != nil {
		return s, "", false, err
	}
	entry, below, ok := holder(table, name)
	if !ok || !ours(entry) {
		return s, "", false, nil
	}
	list, err := List()
	if err != nil {
		return s, "", false, err
	}
	i := slices.IndexFunc(list, func(s Status) bool { return s.Device == entry.Dev.String() })
	if i < 0 {
		return s, "", false, nil
	}
	if s = list[i]; s.PID == 0 {
		return s, "", true, &Failure{
			Text:   fmt.Sprintf("%s: the server of %s does not answer: it is dead, or another user's", Line(path), Line(entry.Mountpoint)),
			Remedy: fmt.Sprintf("name what it shows by --repo=%s and the commit %s", Line(s.Repo), s.Commit),
		}
	}
	at = filepath.Join(entry.Root, below)
	if s.History {
		s.Commit, at = inHistory(at)
	}
	return s, at, true, nil
}

// inHistory is the commit in whose tree a path of a history lies, and where in
// that; "" is none.
func inHistory(path string) (commit, at string) {
	rest, ok := strings.CutPrefix(path, "/commits/")
	commit, at, _ = strings.Cut(rest, "/")
	if !ok || !object.IsChecksum(commit) {
		return "", path
	}
	return commit, "/" + at
}

// holder is the mount that a canonical path lies in, and where below its root.
func holder(table []mount.Entry, path string) (e mount.Entry, below string, ok bool) {
	for dir := path; ; dir = filepath.Dir(dir) {
		if e, ok = mount.At(table, dir); ok || dir == "/" {
			return e, path[len(dir):], ok
		}
	}
}

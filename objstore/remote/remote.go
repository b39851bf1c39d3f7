// Package remote keeps the remotes of a repository: the places that it pulls from.
//
// A remote is a group `remote "NAME"` of keys in the repository's config. The system's repository
// has a directory besides, /etc/ostree/remotes.d, in whose files NAME.conf there are more of them,
// and where new ones go. A repository with a parent knows the parent's remotes, too. See
// ostree.repo-config(5).
//
// Errors are in ostree's words, which scripts match.
package remote

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"deployfs/objstore"
)

// Remote is the configuration of one remote.
type Remote struct {
	Name string
	File string // that it stands in, an absolute path; "" is the repository's config

	keys *objstore.KeyFile
}

// Get is the value of a key as text.
func (r *Remote) Get(key string) (string, bool) { return r.keys.Get(group(r.Name), key) }

// Bool is the value of a key as a boolean, and unset where there is none.
func (r *Remote) Bool(key string, unset bool) (bool, error) {
	return r.keys.Bool(group(r.Name), key, unset)
}

// Keys lists the remote's keys in the order of its file.
func (r *Remote) Keys() []string { return r.keys.Keys(group(r.Name)) }

// group is where a key file has the keys of a remote.
func group(name string) string { return `remote "` + name + `"` }

// nameOf is the remote whose keys a group of a key file has.
func nameOf(group string) (string, bool) {
	name, ok := strings.CutPrefix(group, `remote "`)
	if !ok {
		return "", false
	}
	return strings.CutSuffix(name, `"`)
}

// NotFoundError says that there is no remote of a name.
type NotFoundError struct{ Name string }

func (e *NotFoundError) Error() string { return fmt.Sprintf("Remote %q not found", e.Name) }

// List is what remotes a repository has. Its methods are not for concurrent use.
type List struct {
	repo   *objstore.Repo
	dir    string // of files with a remote each; "" is none
	own    map[string]*Remote
	parent *List // the parent repository's; nil is none
}

// Places are where a machine has what is the system's.
type Places struct {
	Repos []string // the paths of its repository, of which any may lead to it
	Dir   string   // of its remotes' files and keyrings
}

var machine = Places{Repos: []string{"/ostree/repo"}, Dir: "/etc/ostree/remotes.d"}

// Load reads the remotes of a repository.
func Load(repo *objstore.Repo) (*List, error) { return machine.Load(repo) }

// LoadSysroot reads the remotes of the repository of a sysroot. Only one that is seen from a
// deployment has a directory of them.
func LoadSysroot(repo *objstore.Repo, sysroot string) (*List, error) {
	if _, err := os.Stat(filepath.Join(sysroot, "sysroot")); err != nil {
		return machine.load(repo, "")
	}
	return machine.load(repo, filepath.Join(sysroot, machine.Dir))
}

// Load reads the remotes of a repository of a machine that has these places.
func (p Places) Load(repo *objstore.Repo) (*List, error) {
	if p.owns(repo) {
		return p.load(repo, p.Dir)
	}
	return p.load(repo, "")
}

// owns reports whether a repository is the system's.
func (p Places) owns(repo *objstore.Repo) bool {
	var ours, systems unix.Stat_t
	return unix.Fstat(int(repo.Dir().Fd()), &ours) == nil && slices.ContainsFunc(p.Repos, func(path string) bool {
		return unix.Stat(path, &systems) == nil && ours.Dev == systems.Dev && ours.Ino == systems.Ino
	})
}

func (p Places) load(repo *objstore.Repo, dir string) (*List, error) {
	l := &List{repo: repo, dir: dir}
	err := l.reload()
	if err == nil && repo.Parent() != nil {
		l.parent, err = p.Load(repo.Parent())
	}
	if err != nil {
		return nil, fmt.Errorf("Reloading remotes: %w", err)
	}
	return l, nil
}

// reload reads the repository's own remotes anew.
func (l *List) reload() error {
	l.own = map[string]*Remote{}
	if err := l.add(l.repo.Config(), ""); err != nil || l.dir == "" {
		return err
	}
	entries, err := os.ReadDir(l.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		path := filepath.Join(l.dir, e.Name())
		if info, err := os.Stat(path); filepath.Ext(path) != ".conf" || err != nil || !info.Mode().IsRegular() {
			continue
		}
		keys, err := readKeyFile(path)
		if err != nil {
			return err
		}
		if err := l.add(keys, path); err != nil {
			return err
		}
	}
	return nil
}

// add takes the remotes of a key file in.
func (l *List) add(keys *objstore.KeyFile, path string) error {
	for _, group := range keys.Groups() {
		name, ok := nameOf(group)
		if !ok {
			continue
		}
		if l.own[name] != nil {
			return fmt.Errorf("Multiple specifications found for remote %q", name)
		}
		l.own[name] = &Remote{Name: name, File: path, keys: keys}
	}
	return nil
}

const maxFile = 1 << 20 // bytes of a remote's file

func readKeyFile(path string) (*objstore.KeyFile, error) {
	info, err := os.Stat(path)
	if err == nil && info.Size() > maxFile {
		return nil, fmt.Errorf("Failed to parse %s: %d bytes", path, info.Size())
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	keys, err := objstore.ParseKeyFile(data)
	if err != nil {
		return nil, fmt.Errorf("Failed to parse %s: %w", path, err)
	}
	return keys, nil
}

// Names lists the names of all remotes, sorted.
func (l *List) Names() []string {
	names := map[string]bool{}
	for at := l; at != nil; at = at.parent {
		for name := range at.own {
			names[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// All lists all remotes, in no order, and those of parents that others of the same name hide.
func (l *List) All() (all []*Remote) {
	for at := l; at != nil; at = at.parent {
		all = slices.AppendSeq(all, maps.Values(at.own))
	}
	return all
}

// Find returns a remote: the repository's own, else its parent's. Without one the error is a
// [*NotFoundError].
func (l *List) Find(name string) (*Remote, error) {
	for at := l; at != nil; at = at.parent {
		if r := at.own[name]; r != nil {
			return r, nil
		}
	}
	return nil, &NotFoundError{name}
}

// Keyrings are the files in which a remote's OpenPGP keys may be, of which the first that exists counts:
// in the repository, in the directory of remotes, and in the parent's.
func (l *List) Keyrings(name string) (paths []string) {
	for at := l; at != nil; at = at.parent {
		paths = append(paths, filepath.Join(at.repo.Path(), Keyring(name)))
		if at.dir != "" {
			paths = append(paths, filepath.Join(at.dir, Keyring(name)))
		}
	}
	return paths
}

// Option is the value of a remote's key: what the own remote lacks, the parent's of the same name
// may have.
func (l *List) Option(name, key string) (value string, ok bool, err error) {
	if _, err := l.Find(name); err != nil {
		return "", false, err
	}
	for at := l; at != nil && !ok; at = at.parent {
		if r := at.own[name]; r != nil {
			value, ok = r.Get(key)
		}
	}
	return value, ok, nil
}

// URL is where a remote is. A name that is a file URL is its own.
func (l *List) URL(name string) (string, error) {
	if strings.HasPrefix(name, "file://") {
		return name, nil
	}
	url, ok, err := l.Option(name, "url")
	if err == nil && !ok {
		err = fmt.Errorf("No \"url\" option in remote %q", name)
	}
	return url, err
}

package history

import (
	"errors"
	iofs "io/fs"
	"strings"

	"deployfs/fs"
	"deployfs/objstore"
	"deployfs/objstore/object"
)

// factsDir is the directory of facts beside links to trees.
const factsDir = ".commit"

// entry is a name that a section has: a directory, or a link to a commit.
type entry struct {
	name   string
	dir    bool
	commit object.Checksum
}

// section is a way to arrange commits. A path is what follows its own name.
type section interface {
	list(path []string) ([]entry, error)
	find(path []string, name string) (entry, error)
	// hasLinks reports whether a directory has entries that are none.
	hasLinks(path []string) (bool, error)
}

// View is the history of a repository. Its methods may be called at the same time.
type View struct {
	repo     *objstore.Repo
	commits  *catalog
	sections map[string]section
}

var _ fs.Names = (*View)(nil)

// sectionNames are the sections in the order in which they are listed.
var sectionNames = []string{"by-date", "by-version", "commits", "mirrors", "refs", "remotes"}

// New arranges the commits of a repository, which must stay open.
func New(repo *objstore.Repo) *View {
	commits := newCatalog(repo)
	return &View{repo: repo, commits: commits, sections: map[string]section{
		"by-date":    &byDate{commits},
		"by-version": &byVersion{repo: repo, commits: commits},
		"mirrors":    &refTree{repo, "mirrors"},
		"refs":       &refTree{repo, "heads"},
		"remotes":    &refTree{repo, "remotes"},
	}}
}

// List returns the names in a directory.
func (v *View) List(dir string) ([]fs.Name, error) {
	if dir == "" {
		var list []fs.Name
		for _, name := range sectionNames {
			list = append(list, fs.Name{Name: name, Kind: fs.NameDir})
		}
		return list, nil
	}
	path := strings.Split(dir, "/")
	if path[0] == "commits" {
		return v.listCommits(path[1:])
	}
	s, ok := v.sections[path[0]]
	if !ok {
		return nil, iofs.ErrNotExist
	}
	if last := len(path) - 1; last > 0 && path[last] == factsDir {
		return v.listLinks(s, path[1:last], len(path))
	}
	return v.listSection(s, path[1:], len(path))
}

// listSection lists a directory of a section, depth below the root.
func (v *View) listSection(s section, path []string, depth int) ([]fs.Name, error) {
	entries, err := s.list(path)
	if err != nil {
		return nil, err
	}
	list := make([]fs.Name, 0, len(entries)+1)
	links := false
	for _, e := range entries {
		links = links || !e.dir
		list = append(list, e.shown(depth, false))
	}
	if links {
		list = append(list, fs.Name{Name: factsDir, Kind: fs.NameDir})
	}
	return list, nil
}

// listLinks lists the directory of facts beside a directory of a section.
func (v *View) listLinks(s section, path []string, depth int) ([]fs.Name, error) {
	entries, err := s.list(path)
	if err != nil {
		return nil, err
	}
	var list []fs.Name
	for _, e := range entries {
		if !e.dir {
			list = append(list, e.shown(depth, true))
		}
	}
	return list, nil
}

// shown is an entry of a directory that is depth below the root: as a link to the
// tree or to the facts.
func (e entry) shown(depth int, facts bool) fs.Name {
	if e.dir {
		return fs.Name{Name: e.name, Kind: fs.NameDir}
	}
	target := strings.Repeat("../", depth) + "commits/"
	if facts {
		target += factsDir + "/"
	}
	return fs.Name{Name: e.name, Kind: fs.NameLink, Value: target + e.commit.String()}
}

// Find returns a name in a directory.
func (v *View) Find(dir, name string) (fs.Name, error) {
	if dir == "" {
		if _, ok := v.sections[name]; !ok && name != "commits" {
			return fs.Name{}, iofs.ErrNotExist
		}
		return fs.Name{Name: name, Kind: fs.NameDir}, nil
	}
	path := strings.Split(dir, "/")
	if path[0] == "commits" {
		return v.findCommit(path[1:], name)
	}
	s, ok := v.sections[path[0]]
	if !ok {
		return fs.Name{}, iofs.ErrNotExist
	}
	last := len(path) - 1
	facts := last > 0 && path[last] == factsDir
	if name == factsDir && !facts {
		return v.findFactsDir(s, path[1:])
	}
	within := path[1:]
	if facts {
		within = path[1:last]
	}
	e, err := s.find(within, name)
	if err == nil && facts && e.dir {
		err = iofs.ErrNotExist
	}
	return e.shown(len(path), facts), err
}

// findFactsDir finds the directory of facts beside the links of a directory.
func (v *View) findFactsDir(s section, path []string) (fs.Name, error) {
	has, err := s.hasLinks(path)
	if err == nil && !has {
		err = iofs.ErrNotExist
	}
	return fs.Name{Name: factsDir, Kind: fs.NameDir}, err
}

// holds fails with fs.ErrNotExist unless the repository holds a commit.
func holds(repo *objstore.Repo, sum object.Checksum) error {
	ok, err := repo.HasObject(object.Name{Checksum: sum, Kind: object.KindCommit})
	if err == nil && !ok {
		err = iofs.ErrNotExist
	}
	return err
}

// absent reports whether an error is that something is not there.
func absent(err error) bool { return errors.Is(err, iofs.ErrNotExist) }

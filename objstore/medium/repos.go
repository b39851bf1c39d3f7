package medium

import (
	"iter"
	"os"
	"path"
	"slices"

	"golang.org/x/sys/unix"
)

// Where repositories are looked for.
const (
	linkDir   = ".ostree/repos.d"
	usualRepo = ".ostree/repo"
	otherRepo = "ostree/repo"
)

// wellKnown are the repositories that need no entry in linkDir.
var wellKnown = []string{usualRepo, otherRepo, "var/lib/flatpak/repo"}

const (
	maxRepos = 256     // in linkDir that are looked at
	maxNames = 1 << 16 // in linkDir that are read
)

// Repos visits the paths at which others look for repositories, in their order: those in
// .ostree/repos.d by name, then the well-known ones.
func (m *Medium) Repos() iter.Seq[string] {
	return func(yield func(string) bool) {
		names := m.links()
		for _, name := range names[:min(len(names), maxRepos)] {
			if !yield(path.Join(linkDir, name)) {
				return
			}
		}
		for _, repo := range wellKnown {
			if !yield(repo) {
				return
			}
		}
	}
}

// links are the names in .ostree/repos.d, sorted. That it can't be read is as if it were
// not there.
func (m *Medium) links() []string {
	dir, _, err := m.directory(linkDir)
	if err != nil {
		return nil
	}
	defer dir.Close()
	fd, err := unix.Openat(int(dir.Fd()), ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	list := os.NewFile(uintptr(fd), linkDir)
	defer list.Close()
	names, _ := list.Readdirnames(maxNames)
	slices.Sort(names)
	return names
}

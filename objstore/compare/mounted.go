package compare

import (
	"cmp"
	"slices"
)

// Mounted is a directory of this machine that shows a commit's: the order is the directory's, all
// else the commit's.
type Mounted struct {
	Commit
	Path string // of the directory
}

var _ Side = (*Mounted)(nil)

// Children lists in the order in which GLib lists the directory.
func (m *Mounted) Children(dir Node) ([]Node, error) {
	nodes, err := m.Commit.Children(dir)
	if err != nil {
		return nil, err
	}
	names, err := listed(m.Path + dir.Path)
	if err != nil {
		return nil, err
	}
	place := make(map[string]int, len(names))
	for i, name := range names {
		place[name] = i
	}
	slices.SortStableFunc(nodes, func(a, b Node) int { return cmp.Compare(place[nameOf(a)], place[nameOf(b)]) })
	return nodes, nil
}

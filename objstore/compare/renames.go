package compare

import (
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"deployfs/objstore/diff"
	"deployfs/objstore/object"
)

// emptyTree is the dirtree of every empty directory: that two have it says nothing.
var emptyTree, _ = object.ParseChecksum("6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d")

// Renames finds what was removed in one place and added, with the same checksums, in another, and puts
// one change, of the kind Renamed and at the new path, in the place of two. A directory that was
// renamed stands for all below it. The list is in the order of paths.
func Renames(list []Change, old, new Side) ([]Change, error) {
	m := matcher{list: list, old: old, new: new, done: make([]bool, len(list))}
	sums, err := m.sums()
	if err != nil {
		return nil, err
	}
	namesake := func(i int) named { return named{sums[i], path.Base(list[i].Path)} }
	any := func(i int) named { return named{sums[i], ""} }
	m.match(sums, true, namesake, any) // from the top down
	m.match(sums, false, namesake)
	m.match(sums, false, any)
	var kept []Change
	for i, c := range m.list {
		if !m.done[i] {
			kept = append(kept, c)
		}
	}
	return kept, nil
}

// matcher pairs removed entries with added ones.
type matcher struct {
	list     []Change
	old, new Side
	done     []bool // entries that other changes stand for
}

// sameness is what must be equal: a file's content object, or both checksums of a directory.
type sameness struct{ content, meta object.Checksum }

// sums is what must be equal for each entry that was added or removed; zero for what has no match.
func (m *matcher) sums() ([]sameness, error) {
	sums := make([]sameness, len(m.list))
	sizes, err := m.sizes()
	if err != nil {
		return nil, err
	}
	for i, c := range m.list {
		n, side := c.New, m.new
		if c.Kind == diff.Removed {
			n, side = c.Old, m.old
		}
		switch {
		case c.Kind == diff.Modified, n.IsDir() && (n.Stat != nil || n.Tree == emptyTree):
		case n.IsDir():
			sums[i] = sameness{n.Tree, n.Meta}
		case n.Stat == nil:
			sums[i] = sameness{content: n.Content}
		case sizes[n.Stat.Size] || n.Stat.Mode&unix.S_IFMT == unix.S_IFLNK:
			if sums[i].content, err = side.Sum(n); err != nil {
				return nil, err
			}
		}
	}
	return sums, nil
}

// sizes is the sizes of the files among which a file of this machine can have its match, so that no
// other is hashed.
func (m *matcher) sizes() (map[int64]bool, error) {
	isLive := func(c Change) bool { return c.Old.Stat != nil || c.New.Stat != nil }
	if !slices.ContainsFunc(m.list, isLive) {
		return nil, nil
	}
	added, removed := map[int64]bool{}, map[int64]bool{}
	for _, c := range m.list {
		n, side, sizes := c.New, m.new, added
		if c.Kind == diff.Removed {
			n, side, sizes = c.Old, m.old, removed
		}
		if c.Kind == diff.Modified || n.IsDir() {
			continue
		}
		h, err := side.Header(n)
		if err != nil {
			return nil, err
		}
		sizes[int64(h.Size)] = true
	}
	both := map[int64]bool{}
	for size := range added {
		both[size] = removed[size]
	}
	return both, nil
}

// match pairs directories, or files: each that was added with the first that has one of its keys.
func (m *matcher) match(sums []sameness, dirs bool, keys ...func(int) named) {
	lost := map[named][]int{}
	for i, c := range m.list {
		if c.Kind == diff.Removed && c.Old.IsDir() == dirs && !m.done[i] && sums[i] != (sameness{}) {
			for _, key := range keys {
				lost[key(i)] = append(lost[key(i)], i)
			}
		}
	}
	for i, c := range m.list {
		if c.Kind != diff.Added || c.New.IsDir() != dirs || m.done[i] || sums[i] == (sameness{}) {
			continue
		}
		for _, key := range keys {
			if k := m.take(lost, key(i)); k >= 0 {
				m.pair(i, k)
				break
			}
		}
	}
}

// pair makes of entry i, which was added, the new place of entry k, which was removed.
func (m *matcher) pair(i, k int) {
	c := &m.list[i]
	c.Kind, c.Old = diff.Renamed, m.list[k].Old
	m.cover(i+1, c.Path)
	m.cover(k+1, c.Old.Path)
	m.done[k] = true
}

// named is a sameness and, where that counts, the last part of a path.
type named struct {
	sameness
	name string
}

// take takes the first candidate that is still there whole; -1 when there is none.
func (m *matcher) take(candidates map[named][]int, key named) int {
	for list := candidates[key]; len(list) > 0; list = candidates[key] {
		k := list[0]
		candidates[key] = list[1:]
		if !m.done[k] && !m.partTaken(k) {
			return k
		}
	}
	return -1
}

// partTaken reports whether something below a removed directory has gone elsewhere.
func (m *matcher) partTaken(k int) bool {
	for i := k + 1; i < len(m.list) && strings.HasPrefix(m.list[i].Path, m.list[k].Path+"/"); i++ {
		if m.done[i] {
			return true
		}
	}
	return false
}

// cover lets one change stand for all below its path, which come from i on.
func (m *matcher) cover(i int, dir string) {
	for ; i < len(m.list) && strings.HasPrefix(m.list[i].Path, dir+"/"); i++ {
		m.done[i] = true
	}
}

package history

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"deployfs/objstore/object"
)

// match is what a directory holds of a target; nil is nothing. Two directories
// that hold the same have equal ids, whatever else is in them.
type match struct {
	id    object.Checksum
	items []item // sorted by name
}

// item is an entry that is meant, or below which there are some, or both.
type item struct {
	name  string
	meant bool
	below *match
}

// place is a directory, wherever it is; for paths it matters how deep.
type place struct {
	tree  object.Checksum
	depth int
}

// maxVerdicts bounds the directories of which a Finder remembers what they hold,
// plus the names that they do hold; there are up to twice as many.
const maxVerdicts = 1 << 18

// verdicts remembers what directories hold, in two generations as [loader] does.
type verdicts struct {
	young, old map[place]*match
	weight     int // of the young ones
}

func (v *verdicts) get(p place) (*match, bool) {
	m, ok := v.young[p]
	if !ok {
		if m, ok = v.old[p]; ok {
			v.put(p, m)
		}
	}
	return m, ok
}

func (v *verdicts) put(p place, m *match) {
	if v.young == nil || v.weight >= maxVerdicts {
		v.old, v.young, v.weight = v.young, map[place]*match{}, 0
	}
	v.young[p] = m
	v.weight++
	if m != nil {
		v.weight += len(m.items)
	}
}

// look finds what a directory holds. One that was looked into before is not opened again.
func (f *Finder) look(ctx context.Context, sum object.Checksum, depth int) (*match, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if depth == maxDepth {
		return nil, errDepth
	}
	at := place{tree: sum}
	if f.target.isPath() {
		at.depth = depth
	}
	if m, ok := f.verdicts.get(at); ok {
		return m, nil
	}
	t, err := f.store.DirTree(sum)
	if err != nil {
		return nil, err
	}
	f.opened.Add(1)
	m, err := f.lookInto(ctx, t, depth)
	if err == nil {
		f.verdicts.put(at, m)
	}
	return m, err
}

func (f *Finder) lookInto(ctx context.Context, t object.DirTree, depth int) (*match, error) {
	m := new(match)
	for i := range t.NumFiles() {
		name, content := t.File(i)
		if f.target.is(content) || f.target.names(name, depth) {
			m.items = append(m.items, item{name: string(name), meant: true})
		}
	}
	for i := range t.NumDirs() {
		name, sub, meta := t.Dir(i)
		found := item{meant: f.target.is(sub) || f.target.is(meta) || f.target.names(name, depth)}
		if f.target.opens(name, depth) {
			var err error
			if found.below, err = f.look(ctx, sub, depth+1); err != nil {
				return nil, err
			}
		}
		if found.meant || found.below != nil {
			found.name = string(name)
			m.items = append(m.items, found)
		}
	}
	return m.seal(), nil
}

// seal sorts the items and computes the id.
func (m *match) seal() *match {
	if len(m.items) == 0 {
		return nil
	}
	slices.SortFunc(m.items, func(a, b item) int { return strings.Compare(a.name, b.name) })
	hash := sha256.New()
	for _, it := range m.items {
		fmt.Fprintf(hash, "%s\x00%t", it.name, it.meant)
		if it.below != nil {
			hash.Write(it.below.id[:])
		}
		hash.Write([]byte{0})
	}
	m.id = object.Checksum(hash.Sum(nil))
	return m
}

// compare calls changed for each path that only one of two directories holds;
// came tells that it is the second. What is equal is not looked into: wherever it
// goes, it finds a change.
func compare(ctx context.Context, dir string, a, b *match, changed func(path string, came bool) error) error {
	var old, new []item
	if a != nil {
		old = a.items
	}
	if b != nil {
		new = b.items
	}
	if a != nil && b != nil && a.id == b.id {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	for len(old) > 0 || len(new) > 0 {
		x, y := nextPair(&old, &new)
		path := dir + "/" + cmp.Or(x.name, y.name)
		if x.meant != y.meant {
			if err := changed(path, y.meant); err != nil {
				return err
			}
		}
		if err := compare(ctx, path, x.below, y.below, changed); err != nil {
			return err
		}
	}
	return nil
}

// nextPair takes the first name off two sorted lists, at least one of which is
// not empty: an item is zero where the name is not in its list.
func nextPair(a, b *[]item) (x, y item) {
	order := 0
	switch {
	case len(*a) == 0:
		order = 1
	case len(*b) == 0:
		order = -1
	default:
		order = strings.Compare((*a)[0].name, (*b)[0].name)
	}
	if order <= 0 {
		x, *a = (*a)[0], (*a)[1:]
	}
	if order >= 0 {
		y, *b = (*b)[0], (*b)[1:]
	}
	return x, y
}

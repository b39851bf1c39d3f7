package compile

import (
	"context"
	"fmt"
	"path"
	"strings"

	"deployfs/objstore"
	"deployfs/objstore/object"
)

// base is an old file that a new one may resemble.
type base struct {
	sum  object.Checksum
	size uint64
}

// similarity is by how much sizes of files with the same name may differ, in percent of the new
// one's.
const similarity = 30

// atSamePath is how many times the size files with the same path may have.
const atSamePath = 4

// matcher finds for new files the old ones that they resemble.
type matcher struct {
	repo   *objstore.Repo
	bases  map[object.Checksum]*base // that were looked at; nil for one that won't do
	exact  map[string][]*base        // by the names of new files
	prefix map[string][]*base        // by what stands before the first dot of these
}

// findSimilar sets the bases of files: for each the old one with the same path, or else with the
// same name, or else with the same name up to the first dot; of several the one whose size is
// nearest.
func findSimilar(ctx context.Context, repo *objstore.Repo, root object.Checksum, files []*file) error {
	m := &matcher{repo, map[object.Checksum]*base{}, map[string][]*base{}, map[string][]*base{}}
	for _, f := range files {
		for _, name := range f.names {
			m.exact[name] = nil
			if p := beforeDot(name); p != "" {
				m.prefix[p] = nil
			}
		}
	}
	if err := m.gather(ctx, root); err != nil {
		return err
	}
	for _, f := range files {
		if f.size == 0 || comesPacked(f.names) {
			continue
		}
		if err := m.find(f); err != nil {
			return err
		}
	}
	return nil
}

// gather looks through the old commit for names that the new files have.
func (m *matcher) gather(ctx context.Context, root object.Checksum) (err error) {
	walked := eachTree(ctx, m.repo, root, func(_ object.Checksum, tree object.DirTree) {
		for i := range tree.NumFiles() {
			text, sum := tree.File(i)
			if failed := m.candidate(string(text), sum); failed != nil && err == nil {
				err = fmt.Errorf("%s: %w", text, failed)
			}
		}
	})
	if walked != nil {
		return walked
	}
	return err
}

// candidate notes an old file where its name may be asked for.
func (m *matcher) candidate(name string, sum object.Checksum) error {
	_, exact := m.exact[name]
	before := beforeDot(name)
	_, prefix := m.prefix[before]
	if !exact && !prefix || comesPacked([]string{name}) {
		return nil
	}
	b, err := m.base(sum)
	if err != nil || b == nil {
		return err
	}
	if exact {
		m.exact[name] = append(m.exact[name], b)
	}
	if prefix {
		m.prefix[before] = append(m.prefix[before], b)
	}
	return nil
}

// base looks at an old file. It is nil for one that won't do: what is no regular file, and what
// not everybody may read, as the delta may be applied by somebody who has the old commit in a
// repository that is not his.
func (m *matcher) base(sum object.Checksum) (*base, error) {
	if b, ok := m.bases[sum]; ok {
		return b, nil
	}
	h, err := m.repo.Stat(sum)
	if err != nil {
		return nil, err
	}
	var b *base
	if !h.IsSymlink() && h.Mode&0o004 != 0 && h.Size > 0 {
		b = &base{sum, h.Size}
	}
	m.bases[sum] = b
	return b, nil
}

// find sets the base of a file.
func (m *matcher) find(f *file) error {
	if !f.same.IsZero() {
		b, err := m.base(f.same)
		if err != nil {
			return err
		}
		if b != nil && b.size/atSamePath <= f.size && f.size/atSamePath <= b.size {
			f.base = b
			return nil
		}
	}
	for _, name := range f.names {
		f.nearest(m.exact[name])
	}
	for _, name := range f.names {
		if p := beforeDot(name); p != "" && f.base == nil {
			f.nearest(m.prefix[p])
		}
	}
	return nil
}

// nearest sets the base to the one whose size is nearest, if it is near enough.
func (f *file) nearest(list []*base) {
	for _, b := range list {
		if far := distance(b.size, f.size); far <= f.size/100*similarity+f.size%100*similarity/100 {
			if f.base == nil || far < distance(f.base.size, f.size) {
				f.base = b
			}
		}
	}
}

func distance(a, b uint64) uint64 { return max(a, b) - min(a, b) }

// beforeDot is what stands before the first dot of a name, or "".
func beforeDot(name string) string {
	before, _, ok := strings.Cut(name, ".")
	if !ok {
		return ""
	}
	return before
}

// comesPacked reports whether a name is that of a file in which one changed byte changes all: what is
// compressed by a program that can't do without.
func comesPacked(names []string) bool {
	for _, name := range names {
		if ext := path.Ext(name); ext == ".xz" || ext == ".bz2" {
			return true
		}
	}
	return false
}

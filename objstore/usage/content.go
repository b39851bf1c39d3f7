package usage

import (
	"errors"
	"io/fs"

	"deployfs/objstore/object"
	"deployfs/objstore/tree"
)

// measureContent measures the content below what the paths name, in parallel:
// it may have to be opened.
func (m *meter) measureContent(tops [][]tree.Entry) error {
	wanted := newMarks(m.graph)
	for _, entries := range tops {
		for _, e := range entries {
			if err := m.gather(wanted, e); err != nil {
				return err
			}
		}
	}
	m.sizes = make([]contentSize, m.held.Len(object.KindFile))
	return inParallel(m.ctx, 256, func(_, begin int) error {
		first, list := m.held.Bucket(object.KindFile, byte(begin))
		for i, sum := range list {
			if err := m.ctx.Err(); err != nil {
				return err
			}
			if !wanted.has(object.KindFile, first+i) {
				continue
			}
			size, err := m.contentSize(sum)
			if err != nil {
				return err
			}
			m.sizes[first+i] = size
			m.count.Measured.Add(1)
		}
		return nil
	})
}

// gather marks the content that an entry needs, and the dirtrees on the way.
func (m *meter) gather(wanted marks, e tree.Entry) error {
	if !e.IsDir() {
		m.mark(wanted, object.Name{Checksum: e.Content, Kind: object.KindFile})
		return nil
	}
	for stack := []object.Checksum{e.Tree}; len(stack) > 0; {
		next := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if n, ok := m.walker.Number(object.Name{Checksum: next, Kind: object.KindDirTree}); !ok || !wanted.add(object.KindDirTree, n) {
			continue
		}
		t, err := m.dirTree(next)
		if err != nil {
			return err
		}
		for i := range t.NumFiles() {
			_, content := t.File(i)
			m.mark(wanted, object.Name{Checksum: content, Kind: object.KindFile})
		}
		for i := range t.NumDirs() {
			_, sub, _ := t.Dir(i)
			stack = append(stack, sub)
		}
	}
	return nil
}

// mark marks an object that the repository itself holds.
func (m *meter) mark(to marks, name object.Name) {
	if n, ok := m.held.Find(name); ok {
		to.add(name.Kind, n)
	}
}

// dirTree reads a dirtree. One that is absent, which only a partial commit may
// lack, is empty.
func (m *meter) dirTree(sum object.Checksum) (object.DirTree, error) {
	if err := m.ctx.Err(); err != nil {
		return object.DirTree{}, err
	}
	t, err := m.repo.DirTree(sum)
	if errors.Is(err, fs.ErrNotExist) {
		return object.DirTree{}, nil
	}
	return t, err
}

// contentSize is how large content is for who reads it, and on the disk.
type contentSize struct{ apparent, disk uint64 }

// contentSize looks at content that the repository itself holds.
func (m *meter) contentSize(sum object.Checksum) (size contentSize, err error) {
	if size.apparent, err = m.apparentSize(sum); err != nil {
		return size, err
	}
	st, err := statObject(m.repo, object.Name{Checksum: sum, Kind: object.KindFile})
	size.disk = uint64(st.Blocks) * blockSize
	return size, err
}

// apparentSize is what stat(2) calls the size of a checkout's file. Content that
// is absent, as it may be in a partial commit, has none.
func (m *meter) apparentSize(sum object.Checksum) (uint64, error) {
	h, err := m.repo.Stat(sum)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if h.IsSymlink() {
		return uint64(len(h.Target)), err
	}
	return h.Size, err
}

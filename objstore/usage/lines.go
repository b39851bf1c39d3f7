package usage

import (
	"fmt"

	"deployfs/objstore/object"
	"deployfs/objstore/tree"
)

// marks is a bit for each object, by kind and number.
type marks [object.KindPayloadLink + 1][]uint64

func newMarks(g *graph) (m marks) {
	for kind := range m {
		m[kind] = make([]uint64, (len(g.colours[kind])+63)/64)
	}
	return m
}

func (m *marks) has(kind object.Kind, n int) bool { return m[kind][n/64]&(1<<(n%64)) != 0 }

// add reports whether the object was not marked before.
func (m *marks) add(kind object.Kind, n int) bool {
	before := m.has(kind, n)
	m[kind][n/64] |= 1 << (n % 64)
	return !before
}

// commit makes the lines of one commit.
func (m *meter) commit(i int, tops []tree.Entry) error {
	m.here = newMarks(m.graph)
	if i == 0 {
		m.all = newMarks(m.graph)
		m.apparent = make([]uint64, len(m.colours[object.KindDirTree]))
		for n := range m.apparent {
			m.apparent[n] = unknownSize
		}
	}
	for _, top := range tops {
		line := Line{Commit: i, Path: top.Path, Top: true}
		var err error
		switch {
		case top.IsDir():
			if top.Path == "/" {
				err = m.object(&line, object.Name{Checksum: m.Commits[i], Kind: object.KindCommit})
			}
			if err == nil {
				err = m.dir(&line, top.Tree, top.Meta, 0)
			}
		default:
			err = m.content(&line, top.Content)
		}
		if err == nil {
			err = m.emit(line)
		}
		if err != nil {
			return err
		}
		m.total.Apparent = saturated(m.total.Apparent, line.Apparent)
	}
	return nil
}

// dir adds a directory so far below a path of the query, and all that is in it.
func (m *meter) dir(line *Line, sum, meta object.Checksum, depth int) error {
	name := object.Name{Checksum: sum, Kind: object.KindDirTree}
	if err := m.object(line, object.Name{Checksum: meta, Kind: object.KindDirMeta}); err != nil {
		return err
	}
	n, ok := m.walker.Number(name)
	switch {
	case !ok:
		return nil // only a partial commit lacks it
	case depth == maxDepth:
		return fmt.Errorf("%.200q: more than %d directories deep", line.Path, maxDepth)
	case depth >= m.MaxDepth && m.here.has(name.Kind, n):
		line.Apparent = saturated(line.Apparent, m.apparent[n])
		return nil
	}
	if err := m.object(line, name); err != nil {
		return err
	}
	m.here.add(name.Kind, n) // those of parent repositories, too
	before := line.Apparent
	line.Apparent = 0
	err := m.entries(line, sum, depth)
	m.apparent[n] = line.Apparent
	line.Apparent = saturated(line.Apparent, before)
	return err
}

// entries adds what is in a directory.
func (m *meter) entries(line *Line, sum object.Checksum, depth int) error {
	t, err := m.dirTree(sum)
	if err != nil {
		return err
	}
	for i := range t.NumFiles() {
		_, content := t.File(i)
		if err := m.content(line, content); err != nil {
			return err
		}
	}
	for i := range t.NumDirs() {
		name, sub, meta := t.Dir(i)
		if depth >= m.MaxDepth {
			if err := m.dir(line, sub, meta, depth+1); err != nil {
				return err
			}
			continue
		}
		own := Line{Commit: line.Commit, Path: line.Path + "/" + string(name)}
		if line.Path == "/" {
			own.Path = "/" + string(name)
		}
		err := m.dir(&own, sub, meta, depth+1)
		if err == nil {
			err = m.emit(own)
		}
		if err != nil {
			return err
		}
		line.add(own)
	}
	return nil
}

// content adds a file or symbolic link.
func (m *meter) content(line *Line, sum object.Checksum) error {
	name := object.Name{Checksum: sum, Kind: object.KindFile}
	n, held := m.held.Find(name)
	if !held {
		size, err := m.apparentSize(sum)
		line.Apparent = saturated(line.Apparent, size)
		return err
	}
	size := m.sizes[n]
	line.Apparent = saturated(line.Apparent, size.apparent)
	m.counted(line, name.Kind, n, size.disk)
	return nil
}

// object adds an object that is no content.
func (m *meter) object(line *Line, name object.Name) error {
	n, held := m.held.Find(name)
	if !held || m.here.has(name.Kind, n) {
		return nil
	}
	st, err := statObject(m.repo, name)
	if err == nil {
		m.counted(line, name.Kind, n, uint64(st.Blocks)*blockSize)
	}
	return err
}

// counted adds what an object takes on the disk, unless that was done.
func (m *meter) counted(line *Line, kind object.Kind, n int, disk uint64) {
	colours := m.colours[kind][n]
	if m.here.add(kind, n) {
		line.Objects++
		line.Disk += disk
		if colours == m.own[line.Commit] {
			line.Exclusive += disk
		}
	}
	if m.all.add(kind, n) {
		m.total.Objects++
		m.total.Disk += disk
		if !m.palette.has(colours, len(m.Commits)) {
			m.total.Exclusive += disk
		}
	}
}

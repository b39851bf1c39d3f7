package fs

import (
	"errors"
	"fmt"
	"path"

	"deployfs/objstore"
	"deployfs/objstore/object"
)

const (
	// maxDepth bounds the directories above an entry: a commit can be made
	// deeper, and one that is not verified can be endless.
	maxDepth = 4096
	// recentPlaces is how many directories' checksums are remembered.
	recentPlaces = 256
	// entryCost is about what a decoded object takes beside its bytes.
	entryCost = 200
)

var (
	errTooDeep = errors.New("directories are nested too deeply")
	errChanged = errors.New("the directory has changed since it was first read")
)

// place is a directory's objects, and its row.
type place struct {
	row        row
	tree, meta object.Checksum
}

// place finds the objects of the directory at r, from the nearest directory
// above it that is remembered.
func (f *FS) place(r row) (place, error) {
	var steps []node
	at := f.rootDir
	for up := r; up != root; {
		if known := f.recent[up%recentPlaces].Load(); known != nil && known.row == up {
			at = *known
			break
		}
		n, ok := f.nodes.get(up)
		if !ok || len(steps) == maxDepth {
			return place{}, errTooDeep
		}
		steps = append(steps, n)
		up = n.parent
	}
	for i := len(steps) - 1; i >= 0; i-- {
		next := r
		if i > 0 {
			next = steps[i-1].parent
		}
		t, err := f.tree(at.tree)
		if err != nil {
			return place{}, err
		}
		e, err := entryOf(steps[i], t)
		if err != nil || !e.isDir() {
			return place{}, errChanged
		}
		found := &place{next, e.tree, e.meta} // not changed once it is stored
		f.recent[next%recentPlaces].Store(found)
		at = *found
	}
	return at, nil
}

// dir returns the content of the directory at r.
func (f *FS) dir(r row) (object.DirTree, error) {
	at, err := f.place(r)
	if err != nil {
		return object.DirTree{}, err
	}
	return f.tree(at.tree)
}

// tree returns a dirtree.
func (f *FS) tree(sum object.Checksum) (object.DirTree, error) {
	return f.trees.Get(sum, f.loadTree)
}

func (f *FS) loadTree(sum object.Checksum) (t object.DirTree, cost int64, err error) {
	name := object.Name{Checksum: sum, Kind: object.KindDirTree}
	data, err := f.metadata(name)
	if err != nil {
		return t, 0, err
	}
	if t, err = object.DecodeDirTree(data); err != nil {
		return t, 0, object.Corrupt(name, err)
	}
	return t, int64(len(data)) + entryCost, nil
}

// meta returns a dirmeta.
func (f *FS) meta(sum object.Checksum) (object.DirMeta, error) {
	return f.metas.Get(sum, f.loadMeta)
}

func (f *FS) loadMeta(sum object.Checksum) (m object.DirMeta, cost int64, err error) {
	name := object.Name{Checksum: sum, Kind: object.KindDirMeta}
	data, err := f.metadata(name)
	if err != nil {
		return m, 0, err
	}
	if m, err = object.DecodeDirMeta(data); err != nil {
		return m, 0, object.Corrupt(name, err)
	}
	return m, int64(len(data)) + entryCost, nil
}

// metadata reads a metadata object, checked as the options say.
func (f *FS) metadata(name object.Name) ([]byte, error) {
	data, err := f.src.ReadMetadata(name)
	if err == nil && f.opts.Verify != VerifyNone {
		err = objstore.CheckMetadata(name, data)
	}
	return data, err
}

// entry is one name in a directory, as its dirtree has it.
type entry struct {
	node
	name    []byte          // in the dirtree's bytes
	content object.Checksum // of a file
	tree    object.Checksum // of a directory
	meta    object.Checksum // of a directory
}

func (e *entry) isDir() bool { return e.content.IsZero() }

// entryAt is the entry at pos in the directory at dir, whose inode number is ino.
func entryAt(dir row, ino uint64, t object.DirTree, pos int) entry {
	e := entry{node: node{parent: dir, pos: uint32(pos)}}
	e.take(t)
	e.ino = inodeOf(ino, e.name)
	return e
}

// entryOf is the entry that n stands for in its directory. An object that is not
// verified can have changed, so that there is none.
func entryOf(n node, t object.DirTree) (entry, error) {
	if int(n.pos) >= t.NumFiles()+t.NumDirs() {
		return entry{}, errChanged
	}
	e := entry{node: n}
	e.take(t)
	return e, nil
}

// take reads name and objects from the entry's place in t.
func (e *entry) take(t object.DirTree) {
	if i := int(e.pos); i < t.NumFiles() {
		e.name, e.content = t.File(i)
	} else {
		e.name, e.tree, e.meta = t.Dir(i - t.NumFiles())
	}
}

// entry finds what a row stands for.
func (f *FS) entry(r row) (entry, error) {
	n, ok := f.nodes.get(r)
	if !ok {
		return entry{}, fmt.Errorf("no node %d", r)
	}
	if r == root {
		return entry{node: n, tree: f.rootDir.tree, meta: f.rootDir.meta}, nil
	}
	t, err := f.dir(n.parent)
	if err != nil {
		return entry{}, err
	}
	return entryOf(n, t)
}

// path is where the entry at r lies below the mountpoint, for messages.
func (f *FS) path(r row) string {
	var names []string
	for len(names) < maxDepth && r != root {
		e, err := f.entry(r)
		if err != nil {
			names = append(names, "?")
			break
		}
		names = append(names, string(e.name))
		r = e.parent
	}
	full := "/"
	for i := len(names) - 1; i >= 0; i-- {
		full = path.Join(full, names[i])
	}
	return full
}

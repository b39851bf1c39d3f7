package mtree

import (
	"crypto/sha256"
	"errors"
	"slices"
	"strings"

	"deployfs/objstore/object"
)

// ErrNoMeta is the error for a tree of which a directory has no dirmeta.
var ErrNoMeta = errors.New("Can't commit an empty tree")

// Writer takes metadata objects.
type Writer interface {
	WriteMetadata(kind object.Kind, data []byte) (object.Checksum, error)
}

// Write writes the dirtrees of the tree that are not those which were loaded,
// deepest first, and returns its own. The tree may be changed and written again.
func (t *Tree) Write(w Writer) (dirtree object.Checksum, err error) {
	if t.meta.IsZero() {
		return dirtree, ErrNoMeta
	}
	if t.loader != nil {
		return t.known, nil
	}
	dirs := make([]object.Dir, 0, len(t.dirs))
	for name, sub := range t.dirs {
		dirs = append(dirs, object.Dir{Name: name, Meta: sub.meta})
	}
	slices.SortFunc(dirs, func(a, b object.Dir) int { return strings.Compare(a.Name, b.Name) })
	for i := range dirs {
		if dirs[i].Tree, err = t.dirs[dirs[i].Name].Write(w); err != nil {
			return dirtree, err
		}
	}
	files := make([]object.File, 0, len(t.files))
	for name, content := range t.files {
		files = append(files, object.File{Name: name, Content: content})
	}
	slices.SortFunc(files, func(a, b object.File) int { return strings.Compare(a.Name, b.Name) })
	data := object.EncodeDirTree(files, dirs)
	if sum := object.Checksum(sha256.Sum256(data)); sum == t.known {
		return sum, nil
	}
	t.known, err = w.WriteMetadata(object.KindDirTree, data)
	return t.known, err
}

package tree

import (
	"fmt"

	"deployfs/objstore/object"
)

// walker is where a walk has come to. It holds one path, whose parts are those of
// the directories that are being read: in deep trees the paths of all of them
// would be large.
type walker struct {
	loader Loader
	levels []level
	path   []byte // of the last entry
}

// level is a directory that is being read.
type level struct {
	tree object.DirTree
	next int // entry
	path int // how many bytes of the walker's path are the directory's
}

// enter goes on with a directory, whose path is the walker's.
func (w *walker) enter(sum object.Checksum) error {
	if len(w.levels) == maxDepth {
		return fmt.Errorf("%.200q: more than %d directories deep", w.path, maxDepth)
	}
	t, err := w.loader.DirTree(sum)
	if err == nil {
		w.levels = append(w.levels, level{tree: t, path: len(w.path)})
	}
	return err
}

// next is the next entry of the last directory; false when that has no more.
func (w *walker) next() (e Entry, ok bool) {
	top := &w.levels[len(w.levels)-1]
	i, files := top.next, top.tree.NumFiles()
	if i == files+top.tree.NumDirs() {
		w.levels = w.levels[:len(w.levels)-1]
		return e, false
	}
	top.next++
	var name []byte
	if i < files {
		name, e.Content = top.tree.File(i)
	} else {
		name, e.Tree, e.Meta = top.tree.Dir(i - files)
	}
	w.path = append(append(w.path[:top.path], '/'), name...)
	e.Path = string(w.path)
	return e, true
}

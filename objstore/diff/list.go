package diff

import (
	"bytes"

	"deployfs/objstore/object"
	"deployfs/objstore/tree"
)

// list goes through a directory's entries, files and directories as one list by name.
type list struct {
	tree        object.DirTree
	files, dirs int    // so many have been taken
	name        []byte // of the next entry, once it was looked at
	next        tree.Entry
}

// peek is the next entry's name; false at the end.
func (l *list) peek() (name []byte, ok bool) {
	if l.name != nil {
		return l.name, true
	}
	moreFiles, moreDirs := l.files < l.tree.NumFiles(), l.dirs < l.tree.NumDirs()
	l.next = tree.Entry{}
	if moreFiles {
		l.name, l.next.Content = l.tree.File(l.files)
	}
	if !moreDirs {
		return l.name, moreFiles
	}
	dir, sub, meta := l.tree.Dir(l.dirs)
	if !moreFiles || bytes.Compare(dir, l.name) < 0 {
		l.name, l.next = dir, tree.Entry{Tree: sub, Meta: meta}
	}
	return l.name, true
}

// take removes the entry that peek has shown.
func (l *list) take() tree.Entry {
	if l.next.IsDir() {
		l.dirs++
	} else {
		l.files++
	}
	l.name = nil
	return l.next
}

// Entries calls visit for each name that stands for different things in two dirtrees, by name, with
// the zero Entry where it is absent. The entries have no paths, and the name is in place.
func Entries(old, new object.DirTree, visit func(name []byte, old, new tree.Entry)) {
	a, b := &list{tree: old}, &list{tree: new}
	for {
		name, x, y, ok := step(a, b)
		if !ok {
			return
		}
		if x != y {
			visit(name, x, y)
		}
	}
}

// step takes the next name from one list, or from both where both have it.
func step(a, b *list) (name []byte, old, new tree.Entry, ok bool) {
	x, inA := a.peek()
	y, inB := b.peek()
	order := 0
	switch {
	case !inA && !inB:
		return nil, old, new, false
	case !inA:
		order = 1
	case !inB:
		order = -1
	default:
		order = bytes.Compare(x, y)
	}
	if order <= 0 {
		name, old = x, a.take()
	}
	if order >= 0 {
		name, new = y, b.take()
	}
	return name, old, new, true
}

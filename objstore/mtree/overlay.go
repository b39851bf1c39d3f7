package mtree

import (
	"deployfs/objstore/object"
	"deployfs/objstore/tree"
)

// Overlay lays a directory of a commit over t: files replace files, directories are
// merged and take the dirmeta of the upper one. What is only in one of the two costs
// nothing. It returns how many files it has put into directories that there were.
func (t *Tree) Overlay(l tree.Loader, dirtree, dirmeta object.Checksum) (files int, err error) {
	t.meta = dirmeta
	if t.loader != nil && t.known == dirtree {
		return 0, nil
	}
	if err := t.read(); err != nil {
		return 0, err
	}
	if len(t.files) == 0 && len(t.dirs) == 0 {
		*t = *Load(l, dirtree, dirmeta)
		return 0, nil
	}
	d, err := l.DirTree(dirtree)
	if err != nil {
		return 0, err
	}
	for i := range d.NumFiles() {
		name, content := d.File(i)
		if err := t.SetFile(string(name), content); err != nil {
			return files, err
		}
		files++
	}
	for i := range d.NumDirs() {
		name, subtree, submeta := d.Dir(i)
		sub, err := t.EnsureDir(string(name))
		if err != nil {
			return files, err
		}
		more, err := sub.Overlay(l, subtree, submeta)
		if files += more; err != nil {
			return files, err
		}
	}
	return files, nil
}

package mount

import "strings"

// Lookup returns the topmost mount at path. The error is ErrNotMounted when
// path is no mountpoint.
func Lookup(path string) (Entry, error) {
	name, err := Canonical(path)
	if err != nil {
		return Entry{}, err
	}
	table, err := Table()
	if err != nil {
		return Entry{}, err
	}
	e, ok := At(table, name)
	if !ok {
		return Entry{}, &Error{Op: "look up", Path: name, Err: ErrNotMounted}
	}
	return e, nil
}

// At returns the topmost mount at path, a canonical path, as a walk from the
// root directory meets it: mounts below another one at the same place, and
// those that a mount nearer to the root hides, are not taken.
func At(table []Entry, path string) (Entry, bool) {
	parents := make(map[int]bool, len(table))
	children := make(map[int][]Entry, len(table))
	for _, e := range table {
		parents[e.ID] = true
	}
	for _, e := range table {
		// What hangs on a mount outside of the table hangs on the root
		// directory. So does the initial root filesystem, its own parent.
		parent := e.Parent
		if parent == e.ID || !parents[parent] {
			parent = noParent
		}
		children[parent] = append(children[parent], e)
	}
	var top Entry
	at := noParent
	for prefix := range prefixes(path) {
		for {
			e, ok := childAt(children, at, prefix)
			if !ok {
				break
			}
			// Each mount is met once: a table with a circle has an end.
			delete(children, at)
			top, at = e, e.ID
			if prefix == "/" {
				break // a walk begins below what is mounted over the root directory
			}
		}
	}
	return top, at != noParent && top.Mountpoint == path
}

// noParent stands for the parent of the mounts that have none in the table. No
// mount has a negative number.
const noParent = -1

// childAt returns the mount that is attached at path to the mount with the
// number parent.
func childAt(children map[int][]Entry, parent int, path string) (Entry, bool) {
	for _, e := range children[parent] {
		if e.Mountpoint == path {
			return e, true
		}
	}
	return Entry{}, false
}

// prefixes yields "/", "/a", "/a/b" for "/a/b".
func prefixes(path string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		if !yield("/") || path == "/" {
			return
		}
		for i := 1; i < len(path); i++ {
			next := strings.IndexByte(path[i:], '/')
			if next < 0 {
				yield(path)
				return
			}
			i += next
			if !yield(path[:i]) {
				return
			}
		}
	}
}

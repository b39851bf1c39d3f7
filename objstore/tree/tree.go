// Package tree finds its way through the directories of a commit.
//
// It reads metadata objects only, through a [Loader], and never follows
// symbolic links: to it they are files.
package tree

import (
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"deployfs/objstore/object"
)

// maxDepth bounds the nesting of directories; a commit can be made deeper.
const maxDepth = 4096

// Loader reads directories.
type Loader interface {
	DirTree(sum object.Checksum) (object.DirTree, error)
}

// Entry is one name in a tree: a directory when Tree is set, else a file or
// symbolic link.
type Entry struct {
	Path    string          // absolute
	Tree    object.Checksum // dirtree of a directory
	Meta    object.Checksum // dirmeta of a directory
	Content object.Checksum // content object of a file
}

// IsDir reports whether the entry is a directory.
func (e Entry) IsDir() bool { return e.Content.IsZero() }

// Root is a commit's root directory.
func Root(c object.Commit) Entry { return Entry{Path: "/", Tree: c.Root, Meta: c.RootMeta} }

// Error says why a path does not lead to an entry, in ostree's words: Err is
// unix.ENOENT or unix.ENOTDIR, Path the first part that leads nowhere.
type Error struct {
	Path string
	Err  error
}

func (e *Error) Error() string {
	if e.Err == unix.ENOTDIR {
		return "Not a directory"
	}
	return "No such file or directory: " + e.Path
}

func (e *Error) Unwrap() error { return e.Err }

// Lookup finds the entry at name, a path from the directory dir on; a leading
// slash changes nothing, and ".." does not leave dir. A path that leads nowhere
// is an [*Error].
func Lookup(l Loader, dir Entry, name string) (Entry, error) {
	entry := dir
	for part := range strings.SplitSeq(path.Clean("/" + name)[1:], "/") {
		if part == "" {
			continue
		}
		next, err := child(l, entry, part)
		if err == unix.ENOENT || err == unix.ENOTDIR { // not what the loader met
			return Entry{}, &Error{path.Join(entry.Path, part), err}
		}
		if err != nil {
			return Entry{}, err
		}
		entry = next
	}
	if last := path.Base("/" + name); !entry.IsDir() && (strings.HasSuffix(name, "/") || last == ".") {
		return Entry{}, &Error{entry.Path, unix.ENOTDIR}
	}
	return entry, nil
}

// child finds one name in a directory.
func child(l Loader, dir Entry, name string) (Entry, error) {
	if !dir.IsDir() {
		return Entry{}, unix.ENOTDIR
	}
	t, err := l.DirTree(dir.Tree)
	if err != nil {
		return Entry{}, err
	}
	if i, ok := t.FindFile([]byte(name)); ok {
		return fileEntry(dir, t, i), nil
	}
	if i, ok := t.FindDir([]byte(name)); ok {
		return dirEntry(dir, t, i), nil
	}
	return Entry{}, unix.ENOENT
}

func fileEntry(dir Entry, t object.DirTree, i int) Entry {
	name, content := t.File(i)
	return Entry{Path: path.Join(dir.Path, string(name)), Content: content}
}

func dirEntry(dir Entry, t object.DirTree, i int) Entry {
	name, sub, meta := t.Dir(i)
	return Entry{Path: path.Join(dir.Path, string(name)), Tree: sub, Meta: meta}
}

// Children lists a directory: files first, then directories, each by name.
func Children(l Loader, dir Entry) ([]Entry, error) {
	if !dir.IsDir() {
		return nil, &Error{dir.Path, unix.ENOTDIR}
	}
	t, err := l.DirTree(dir.Tree)
	if err != nil {
		return nil, err
	}
	list := make([]Entry, 0, t.NumFiles()+t.NumDirs())
	for i := range t.NumFiles() {
		list = append(list, fileEntry(dir, t, i))
	}
	for i := range t.NumDirs() {
		list = append(list, dirEntry(dir, t, i))
	}
	return list, nil
}

// Walk visits everything below dir, a directory before its entries, in the
// order of Children. It ends at the first error, which it returns.
func Walk(l Loader, dir Entry, visit func(Entry) error) error {
	if !dir.IsDir() {
		return &Error{dir.Path, unix.ENOTDIR}
	}
	w := walker{loader: l}
	w.path = append(w.path, strings.TrimSuffix(dir.Path, "/")...)
	if err := w.enter(dir.Tree); err != nil {
		return err
	}
	for len(w.levels) > 0 {
		entry, ok := w.next()
		if !ok {
			continue
		}
		if err := visit(entry); err != nil {
			return err
		}
		if entry.IsDir() {
			if err := w.enter(entry.Tree); err != nil {
				return err
			}
		}
	}
	return nil
}

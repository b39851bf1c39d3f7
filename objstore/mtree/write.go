package mtree

import (
	"crypto/sha256"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"

	"deployfs/objstore/object"
)

// ErrNoMeta is the error for a tree of which a directory has no dirmeta.
var ErrNoMeta = errors.New("Can't commit an empty tree")

// Writer takes metadata objects, several at the same time.
type Writer interface {
	WriteMetadata(kind object.Kind, data []byte) (object.Checksum, error)
}

// Write writes the dirtrees of the tree that are not those which were loaded,
// deepest first, and returns its own. The tree may be changed and written again.
func (t *Tree) Write(w Writer) (dirtree object.Checksum, err error) {
	return t.write(&writing{w, make(chan struct{}, runtime.GOMAXPROCS(0)-1)})
}

// writing is one run of Write. Subdirectories are written side by side.
type writing struct {
	Writer
	helpers chan struct{} // holds one for each goroutine beside the caller's
}

func (t *Tree) write(w *writing) (dirtree object.Checksum, err error) {
	if t.meta.IsZero() {
		return dirtree, ErrNoMeta
	}
	if t.loader != nil {
		return t.known, nil
	}
	dirs, err := t.writeDirs(w)
	if err != nil {
		return dirtree, err
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

// writeDirs writes the subdirectories.
func (t *Tree) writeDirs(w *writing) ([]object.Dir, error) {
	dirs := make([]object.Dir, 0, len(t.dirs))
	for name, sub := range t.dirs {
		dirs = append(dirs, object.Dir{Name: name, Meta: sub.meta})
	}
	slices.SortFunc(dirs, func(a, b object.Dir) int { return strings.Compare(a.Name, b.Name) })
	errs := make([]error, len(dirs))
	var others sync.WaitGroup
	for i := range dirs {
		write := func() { dirs[i].Tree, errs[i] = t.dirs[dirs[i].Name].write(w) }
		select {
		case w.helpers <- struct{}{}:
			others.Go(func() { write(); <-w.helpers })
		default:
			write()
		}
	}
	others.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return dirs, nil
}

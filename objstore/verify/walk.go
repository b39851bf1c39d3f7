package verify

import (
	"context"
	"errors"
	"path"

	"deployfs/objstore/object"
	"deployfs/objstore/tree"
)

const (
	maxDepth = 4096      // directories in each other
	maxHeld  = 256 << 20 // bytes of the dirtrees of directories in each other
	maxKnown = 1 << 21   // checksums of a kind that are remembered
)

// The limits, as reasons why a directory is not looked into.
var (
	errDeep = errors.New("directories are nested too deep")
	errHeld = errors.New("directories that lie in each other are too large")
	errMany = errors.New("too many directories")
)

// set is objects of one kind.
type set map[object.Checksum]struct{}

// add reports whether sum is new.
func (s set) add(sum object.Checksum) bool {
	if _, ok := s[sum]; ok {
		return false
	}
	s[sum] = struct{}{}
	return true
}

// walk goes through the directories of a commit, each distinct one once.
type walk struct {
	ctx   context.Context
	c     *checker
	files chan<- entry
	stack []level
	held  int // bytes of the dirtrees in the stack

	trees, metas, contents set
	known                  int // how many each may hold
}

// level is a directory whose subdirectories are being walked.
type level struct {
	path string
	tree object.DirTree
	size int // of the dirtree, in bytes
	next int // subdirectory
}

func newWalk(ctx context.Context, c *checker, files chan<- entry) *walk {
	return &walk{ctx: ctx, c: c, files: files, trees: set{}, metas: set{}, contents: set{}, known: maxKnown}
}

// run walks top and all below it, until ctx ends.
func (w *walk) run(top tree.Entry) {
	w.enter(top.Path, top.Tree, top.Meta)
	for len(w.stack) > 0 && w.ctx.Err() == nil {
		l := &w.stack[len(w.stack)-1]
		if l.next == l.tree.NumDirs() {
			w.held -= l.size
			w.stack = w.stack[:len(w.stack)-1]
			continue
		}
		name, sub, meta := l.tree.Dir(l.next)
		l.next++
		w.enter(path.Join(l.path, string(name)), sub, meta)
	}
}

// enter checks a directory and what it names, and makes it the next to be
// walked. One that was met is not entered again.
func (w *walk) enter(dir string, tree, meta object.Checksum) {
	w.meta(dir, meta)
	if _, met := w.trees[tree]; met {
		return
	}
	e := entry{dir, object.Name{Checksum: tree, Kind: object.KindDirTree}}
	data, t, err := w.load(e.name)
	w.trees.add(tree)
	w.c.done(e, len(data), err)
	if err == errMany {
		w.stack = nil // nor is any other entered
	}
	if err != nil {
		return
	}
	w.names(dir, t)
	w.held += len(data)
	w.stack = append(w.stack, level{path: dir, tree: t, size: len(data)})
}

// load reads and checks a dirtree, if there is room for it.
func (w *walk) load(name object.Name) (data []byte, t object.DirTree, err error) {
	switch {
	case len(w.stack) == maxDepth:
		return nil, t, errDeep
	case len(w.trees) == w.known:
		return nil, t, errMany
	}
	if data, err = w.c.src.Metadata(name); err != nil {
		return data, t, err
	}
	if t, err = object.DecodeDirTree(data); err != nil {
		return data, t, object.Corrupt(name, err)
	}
	if w.held+len(data) > maxHeld {
		err = errHeld
	}
	return data, t, err
}

// meta checks a dirmeta.
func (w *walk) meta(dir string, sum object.Checksum) {
	if len(w.metas) == w.known {
		clear(w.metas)
	}
	if !w.metas.add(sum) {
		return
	}
	name := object.Name{Checksum: sum, Kind: object.KindDirMeta}
	data, err := w.c.src.Metadata(name)
	if err == nil {
		if _, bad := object.DecodeDirMeta(data); bad != nil {
			err = object.Corrupt(name, bad)
		}
	}
	w.c.done(entry{dir, name}, len(data), err)
}

// names has the files of a directory checked.
func (w *walk) names(dir string, t object.DirTree) {
	for i := range t.NumFiles() {
		name, sum := t.File(i)
		if len(w.contents) == w.known {
			clear(w.contents)
		}
		if !w.contents.add(sum) {
			continue
		}
		e := entry{path.Join(dir, string(name)), object.Name{Checksum: sum, Kind: object.KindFile}}
		select {
		case w.files <- e:
		case <-w.ctx.Done():
			return
		}
	}
}

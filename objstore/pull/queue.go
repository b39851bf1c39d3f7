package pull

import (
	"sync"

	"deployfs/objstore/object"
)

const (
	// maxListings is how many bytes of dirtrees are held whose files are still to be had.
	// Meanwhile no more directories are.
	maxListings = 8 << 20
	// maxBreadth is how many directories may wait until the last one comes first: so what
	// waits grows with the depth of a tree, no longer with its breadth.
	maxBreadth = 1 << 16
)

// part is an object of a tree, and the way to it where only some of the tree is wanted.
type part struct {
	name object.Name
	way  string
}

// listing is a directory whose files are still to be looked at, from file next on.
type listing struct {
	name  object.Name    // of a large directory, which is read again when its turn comes; else zero
	tree  object.DirTree // of others
	bytes int
	way   string
	next  int
}

// queue holds the objects that are still to be looked at: directories level by level, and
// before files, since nobody knows how much there is below. A file is not held for itself but
// by the directory that lists it.
type queue struct {
	progress *Progress
	paths    []string // that are wanted; nil is all
	reload   func(tree object.Name) (object.DirTree, error)

	mu       sync.Mutex
	more     *sync.Cond
	parts    []part            // dirtrees and dirmetas
	seen     map[part]struct{} // all that ever were in parts
	listings []listing
	bytes    int                          // of listings
	files    int                          // in listings
	flying   map[object.Checksum]struct{} // files that are being looked at
	busy     int                          // objects that are
	failed   error
}

func newQueue(progress *Progress, paths []string, reload func(tree object.Name) (object.DirTree, error)) *queue {
	q := &queue{progress: progress, paths: paths, reload: reload, seen: map[part]struct{}{}, flying: map[object.Checksum]struct{}{}}
	q.more = sync.NewCond(&q.mu)
	return q
}

// root is the way of a tree's root.
func (q *queue) root(name object.Name) string {
	if q.paths == nil || name.Kind != object.KindDirTree {
		return ""
	}
	return "/"
}

// push adds a directory or its metadata, unless it was there before.
func (q *queue) push(p part) {
	if _, ok := q.seen[p]; !ok {
		q.seen[p] = struct{}{}
		q.parts = append(q.parts, p)
	}
}

// expand adds what a directory of so many bytes holds.
func (q *queue) expand(name object.Name, tree object.DirTree, bytes int, way string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := range tree.NumDirs() {
		name, sub, meta := tree.Dir(i)
		if next, wanted := follow(q.paths, way, string(name), true); wanted {
			q.push(part{object.Name{Checksum: sub, Kind: object.KindDirTree}, next})
			q.push(part{name: object.Name{Checksum: meta, Kind: object.KindDirMeta}})
		}
	}
	if n := tree.NumFiles(); n > 0 {
		l := listing{tree: tree, bytes: bytes, way: way}
		if bytes > large {
			l = listing{name: name, way: way}
		}
		q.listings = append(q.listings, l)
		q.bytes += l.bytes
		q.files += n
	}
	q.tell()
	q.more.Broadcast()
}

func (q *queue) tell() { q.progress.Left.Store(int64(len(q.parts) + q.files)) }

// next takes an object, and waits for one as long as somebody may add one. After it
// call done. False: there will be none.
func (q *queue) next() (p part, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.failed == nil {
		p, ok = q.pop()
		if ok {
			q.busy++
			q.tell()
			return p, true
		}
		if q.busy == 0 {
			break
		}
		q.more.Wait()
	}
	return part{}, false
}

func (q *queue) pop() (p part, ok bool) {
	if q.bytes < maxListings && len(q.parts) > 0 {
		return q.popPart(), true
	}
	if p, ok = q.popFile(); !ok && len(q.parts) > 0 {
		return q.popPart(), true
	}
	return p, ok
}

func (q *queue) popPart() (p part) {
	if last := len(q.parts) - 1; last >= maxBreadth {
		p, q.parts = q.parts[last], q.parts[:last]
	} else {
		p, q.parts = q.parts[0], q.parts[1:]
	}
	return p
}

// popFile takes the next file that is wanted and that nobody is at.
func (q *queue) popFile() (p part, ok bool) {
	for len(q.listings) > 0 {
		l := &q.listings[0]
		if l.name != (object.Name{}) {
			if l.tree, q.failed = q.reload(l.name); q.failed != nil {
				q.more.Broadcast()
				return p, false
			}
			l.name = object.Name{}
		}
		for l.next < l.tree.NumFiles() {
			name, content := l.tree.File(l.next)
			l.next++
			q.files--
			if _, wanted := follow(q.paths, l.way, string(name), false); !wanted {
				continue
			}
			if _, flying := q.flying[content]; flying {
				continue
			}
			q.flying[content] = struct{}{}
			return part{name: object.Name{Checksum: content, Kind: object.KindFile}}, true
		}
		q.bytes -= l.bytes
		q.listings[0] = listing{}
		q.listings = q.listings[1:]
	}
	return p, false
}

// done says that an object was looked at. True: that has failed, and so has all.
func (q *queue) done(p part, err error) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.busy--
	if p.name.Kind == object.KindFile {
		delete(q.flying, p.name.Checksum)
	}
	if q.failed == nil {
		q.failed = err
	}
	if q.failed != nil || q.busy == 0 {
		q.more.Broadcast()
	}
	return q.failed != nil
}

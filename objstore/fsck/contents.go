package fsck

import (
	"iter"
	"math"
	"slices"
	"sync"

	"deployfs/objstore/object"
	"deployfs/objstore/verify"
)

// contents checks the content that the walk came across.
func (w *walk) contents() error {
	next, stop := iter.Pull(w.files())
	defer stop()
	l := &line{next: next, handle: w.handle, done: &w.c.count.Objects, running: map[int]bool{},
		hasty: !w.c.options.All && !w.c.options.Delete}
	verify.All(w.c.ctx, w.c.repo, &w.c.count.Count, l.take)
	if l.err != nil {
		return l.err
	}
	return w.c.ctx.Err()
}

// files are the content objects that are needed and there, in the order in which
// they are checked.
func (w *walk) files() iter.Seq[object.Checksum] {
	return func(yield func(object.Checksum) bool) {
		for _, sum := range w.away {
			if !yield(sum) {
				return
			}
		}
		w.held.EachNeeded(object.KindFile, yield)
	}
}

// line hands files out to whoever checks them, and handles what is wrong with them
// in the order of the files, whatever the order in which that is found.
type line struct {
	mu      sync.Mutex
	next    func() (object.Checksum, bool)
	handle  func(Problem) error
	done    interface{ Add(int64) int64 }
	taken   int          // files that were handed out
	running map[int]bool // those that are being checked
	waiting []late       // problems before which another may come
	hasty   bool         // hand out no more when a corrupt one waits, which is to end it
	err     error        // ends it
}

// late is a problem with a file.
type late struct {
	n int
	Problem
}

// take is a [verify.Next].
func (l *line) take() (sum object.Checksum, done func(error), ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil || l.hasty && slices.ContainsFunc(l.waiting, func(p late) bool { return !p.Missing }) {
		return sum, nil, false
	}
	sum, ok = l.next()
	n := l.taken
	if ok {
		l.taken++
		l.running[n] = true
	}
	return sum, func(err error) { l.ended(n, sum, err) }, ok
}

// ended takes note of a file that was checked.
func (l *line) ended(n int, sum object.Checksum, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.done.Add(1)
	delete(l.running, n)
	if err != nil {
		p := problemOf(object.Name{Checksum: sum, Kind: object.KindFile}, err)
		at, _ := slices.BinarySearchFunc(l.waiting, n, func(w late, n int) int { return w.n - n })
		l.waiting = slices.Insert(l.waiting, at, late{n, p})
	}
	l.handleReady()
}

// handleReady handles problems before which no other can come.
func (l *line) handleReady() {
	if len(l.waiting) == 0 {
		return
	}
	first := math.MaxInt // of those that are being checked
	for n := range l.running {
		first = min(first, n)
	}
	for l.err == nil && len(l.waiting) > 0 && l.waiting[0].n < first {
		l.err = l.handle(l.waiting[0].Problem)
		l.waiting = l.waiting[1:]
	}
}

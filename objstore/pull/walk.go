package pull

import (
	"runtime"
	"sync"

	"deployfs/objstore/object"
)

// perCore is how many objects are taken over at once for each core: some wait for the disk.
const perCore = 2

// walk takes over the trees of commits, side by side.
func (p *puller) walk() error {
	q := newQueue(p.Progress)
	q.push(p.roots)
	var threads sync.WaitGroup
	for range perCore * runtime.GOMAXPROCS(0) {
		threads.Go(func() {
			for {
				name, ok := q.next()
				if !ok {
					return
				}
				err := p.ctx.Err()
				if err == nil {
					err = p.object(q, name)
				}
				q.done(err)
			}
		})
	}
	threads.Wait()
	return q.failed
}

// object takes over one object, and puts what it leads to into the queue.
func (p *puller) object(q *queue, name object.Name) error {
	done, err := p.take(name)
	if err != nil || name.Kind != object.KindDirTree {
		return err
	}
	tree, err := object.DecodeDirTree(done.Data)
	if err != nil {
		return object.Corrupt(name, err)
	}
	list := make([]object.Name, 0, 2*tree.NumDirs()+tree.NumFiles())
	for i := range tree.NumDirs() {
		_, sub, meta := tree.Dir(i)
		list = append(list, object.Name{Checksum: sub, Kind: object.KindDirTree}, object.Name{Checksum: meta, Kind: object.KindDirMeta})
	}
	for i := range tree.NumFiles() {
		_, content := tree.File(i)
		list = append(list, object.Name{Checksum: content, Kind: object.KindFile})
	}
	q.push(list)
	return nil
}

// queue holds the objects that are still to be looked at. The last one comes first:
// so it holds the ways to one place in the trees, not all of them.
type queue struct {
	progress *Progress

	mu     sync.Mutex
	more   *sync.Cond
	todo   []object.Name
	seen   map[object.Name]struct{}
	busy   int // objects that are being looked at
	failed error
}

func newQueue(progress *Progress) *queue {
	q := &queue{progress: progress, seen: map[object.Name]struct{}{}}
	q.more = sync.NewCond(&q.mu)
	return q
}

// push adds the objects that were never added.
func (q *queue) push(list []object.Name) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, name := range list {
		if _, ok := q.seen[name]; !ok {
			q.seen[name] = struct{}{}
			q.todo = append(q.todo, name)
		}
	}
	q.progress.Left.Store(int64(len(q.todo)))
	q.more.Broadcast()
}

// next takes an object, and waits for one as long as somebody may add one. After it
// call done. False: there will be none.
func (q *queue) next() (name object.Name, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.todo) == 0 && q.busy > 0 && q.failed == nil {
		q.more.Wait()
	}
	if len(q.todo) == 0 || q.failed != nil {
		return name, false
	}
	last := len(q.todo) - 1
	name, q.todo = q.todo[last], q.todo[:last]
	q.progress.Left.Store(int64(last))
	q.busy++
	return name, true
}

// done says that an object was looked at. The first error ends all.
func (q *queue) done(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.busy--
	if q.failed == nil {
		q.failed = err
	}
	if q.failed != nil || q.busy == 0 {
		q.more.Broadcast()
	}
}

package checkout

import (
	"context"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sys/unix"
)

// batchSize is how many files of a directory one goroutine takes at once.
const batchSize = 16

// pool is the work of a checkout. Goroutines take subdirectories of the directory that was begun last,
// so that few are open, and share the files of one only when there is no other to begin: two that make
// names in one directory wait for each other.
type pool struct {
	run  *run
	mu   sync.Mutex
	wake sync.Cond
	open []*dir // of which not all is taken, in the order in which they were begun
	live map[*dir]bool
	busy int   // jobs that are being done
	err  error // the first
}

// job is what a goroutine takes: files of a directory, or a subdirectory.
type job struct {
	dir      *dir
	from, to int // files
	sub      int // subdirectory, or -1
}

// all fills the directory root, whose descriptor stays open, and all below it.
func (r *run) all(root *dir) error {
	p := &pool{run: r, live: map[*dir]bool{}}
	p.wake.L = &p.mu
	if err := r.begin(root); err != nil {
		return err
	}
	stop := context.AfterFunc(r.ctx, func() { p.fail(r.ctx.Err()) })
	defer stop()
	p.entered(root)
	var threads sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		threads.Go(func() { p.work(&worker{run: r}) })
	}
	threads.Wait()
	for d := range p.live {
		d.close()
	}
	return p.err
}

// work does jobs until there are none.
func (p *pool) work(w *worker) {
	var last *dir
	for {
		j, ok := p.take(last)
		if !ok {
			return
		}
		if j.sub < 0 {
			last = j.dir
			p.done(j, w.files(j))
			continue
		}
		d, err := p.run.enter(j.dir, j.sub)
		if d != nil && d.fd >= 0 {
			p.entered(d)
			last = d
		}
		if d == nil || err != nil {
			p.done(j, err)
		}
	}
}

// take waits for a job, preferably in the directory last; false when there will be none.
func (p *pool) take(last *dir) (job, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.err == nil {
		if j, ok := p.choose(last); ok {
			p.busy++
			j.dir.left++
			p.open = slices.DeleteFunc(p.open, (*dir).taken)
			return j, true
		}
		if p.busy == 0 {
			break
		}
		p.wake.Wait()
	}
	return job{}, false
}

// choose finds a job.
func (p *pool) choose(last *dir) (job, bool) {
	if last != nil && last.files < last.tree.NumFiles() {
		return p.batch(last), true
	}
	for _, d := range slices.Backward(p.open) {
		filled := d.files == d.tree.NumFiles() && d.filling == 0
		if d.dirs < d.tree.NumDirs() && (filled || !p.run.ordered()) {
			d.dirs++
			return job{dir: d, sub: d.dirs - 1}, true
		}
	}
	for _, d := range slices.Backward(p.open) {
		if d.files < d.tree.NumFiles() {
			return p.batch(d), true
		}
	}
	return job{}, false
}

// batch takes files of a directory: all, when their order matters.
func (p *pool) batch(d *dir) job {
	from, to := d.files, d.tree.NumFiles()
	if !p.run.ordered() {
		to = min(to, from+batchSize)
	}
	d.files = to
	d.filling++
	return job{dir: d, from: from, to: to, sub: -1}
}

// entered adds a directory that is open. The job by which it was entered goes on until it is complete.
func (p *pool) entered(d *dir) {
	p.mu.Lock()
	p.live[d] = true
	if !d.taken() {
		p.open = append(p.open, d)
	}
	if d.parent != nil {
		p.busy--
	}
	p.mu.Unlock()
	p.complete(d)
	p.wake.Broadcast()
}

// done ends a job.
func (p *pool) done(j job, err error) {
	if err != nil {
		p.fail(err)
	}
	p.mu.Lock()
	p.busy--
	j.dir.left--
	if j.sub < 0 {
		j.dir.filling--
	}
	p.mu.Unlock()
	p.complete(j.dir)
	p.wake.Broadcast()
}

// complete finishes a directory in which nothing is left to do, and those above that waited for it.
func (p *pool) complete(d *dir) {
	for d != nil && p.claim(d) {
		if err := p.run.finish(d); err != nil {
			p.fail(err)
			return
		}
		p.mu.Lock()
		delete(p.live, d)
		if d.parent != nil {
			d.parent.left--
		}
		p.mu.Unlock()
		d.close()
		d = d.parent
	}
}

// claim reports whether a directory is to be finished, to one caller.
func (p *pool) claim(d *dir) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	ready := p.err == nil && !d.finished && d.taken() && d.left == 0
	d.finished = d.finished || ready
	return ready
}

// fail ends the work with its first error.
func (p *pool) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil {
		p.err = err
	}
	p.wake.Broadcast()
}

// taken reports whether all of a directory is taken.
func (d *dir) taken() bool { return d.files == d.tree.NumFiles() && d.dirs == d.tree.NumDirs() }

// close closes a directory; the destination itself is its owner's.
func (d *dir) close() {
	if d.parent != nil {
		unix.Close(d.fd)
	}
}

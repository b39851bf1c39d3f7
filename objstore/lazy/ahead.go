package lazy

import (
	"sync"

	"deployfs/objstore/object"
)

const (
	aheadTrees   = 256     // directories that are known
	aheadEntries = 1 << 17 // entries of all of them; one with more is not known
	aheadFirst   = 8       // entries that are fetched at first
	aheadMost    = 512     // the most
	aheadWorkers = 24      // requests in flight; others are left for who waits
	aheadQueue   = 4 * aheadMost
	aheadSize    = 1 << 20 // bytes of metadata; more is left for who needs it
)

// ahead fetches what follows what is looked at.
type ahead struct {
	s       *Source
	jobs    chan object.Name
	workers sync.WaitGroup
	start   sync.Once

	mu      sync.Mutex
	trees   []*directory // oldest first
	entries int
	where   map[object.Checksum]spot
	closed  bool
}

// directory is a dirtree of which entries are looked at.
type directory struct {
	sum     object.Checksum
	names   []object.Name // of files, then of directories: dirtree and dirmeta of each
	files   int
	missing bool // something was
	last    int  // entry that was looked at
	until   int  // entry up to which all was asked for
	window  int
}

// spot is an entry of a directory.
type spot struct {
	in *directory
	at int
}

func newAhead(s *Source) *ahead {
	return &ahead{s: s, jobs: make(chan object.Name, aheadQueue), where: map[object.Checksum]spot{}}
}

func (a *ahead) close() {
	a.mu.Lock()
	if !a.closed {
		a.closed = true
		close(a.jobs)
	}
	a.mu.Unlock()
	a.workers.Wait()
}

func (d *directory) size() int { return d.files + (len(d.names)-d.files)/2 }

// of are the objects of an entry.
func (d *directory) of(entry int) []object.Name {
	if entry < d.files {
		return d.names[entry : entry+1]
	}
	at := d.files + 2*(entry-d.files)
	return d.names[at : at+2]
}

// enter makes a directory known.
func (a *ahead) enter(sum object.Checksum, data []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, d := range a.trees {
		if d.sum == sum {
			return
		}
	}
	t, err := object.DecodeDirTree(data)
	if err != nil || t.NumFiles()+t.NumDirs() > aheadEntries {
		return
	}
	d := &directory{sum: sum, files: t.NumFiles()}
	for i := range t.NumFiles() {
		_, content := t.File(i)
		d.names = append(d.names, object.Name{Checksum: content, Kind: object.KindFile})
	}
	for i := range t.NumDirs() {
		_, tree, meta := t.Dir(i)
		d.names = append(d.names, object.Name{Checksum: tree, Kind: object.KindDirTree}, object.Name{Checksum: meta, Kind: object.KindDirMeta})
	}
	for i := range d.size() {
		a.where[d.of(i)[0].Checksum] = spot{d, i}
	}
	a.trees = append(a.trees, d)
	for a.entries += d.size(); len(a.trees) > aheadTrees || a.entries > aheadEntries; {
		a.forget(a.trees[0])
		a.trees = a.trees[1:]
	}
}

func (a *ahead) forget(d *directory) {
	for i := range d.size() {
		if sum := d.of(i)[0].Checksum; a.where[sum].in == d {
			delete(a.where, sum)
		}
	}
	a.entries -= d.size()
}

// look notes that an object is looked at, which may be missing here.
func (a *ahead) look(sum object.Checksum, missing bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	at, ok := a.where[sum]
	if !ok || a.closed {
		return
	}
	from, until := at.in.look(at.at, missing)
	for entry := from; entry < until; entry++ {
		for _, name := range at.in.of(entry) {
			a.ask(name)
		}
	}
}

// look returns the entries that are to be fetched now. Who looks at one entry alone has
// nothing fetched beside it, unless it is the first.
func (d *directory) look(at int, missing bool) (from, until int) {
	if !missing && (!d.missing || d.window == 0) {
		return 0, 0
	}
	began := d.missing
	d.missing = d.missing || missing
	onward := began && at > d.last && at <= max(d.until, d.last+1)+aheadFirst
	d.last = at
	switch {
	case onward && (at >= d.until || at+d.window/2 >= d.until):
		d.window = min(max(4*d.window, aheadFirst), aheadMost)
	case onward:
		return 0, 0
	case at == 0:
		d.window = aheadFirst
	default:
		d.window = 0
		d.until = at + 1
		return 0, 0
	}
	from = max(at+1, d.until)
	until = min(at+1+d.window, d.size())
	d.until = max(d.until, until)
	return from, until
}

// ask has an object fetched, unless too much is being fetched already.
func (a *ahead) ask(name object.Name) {
	a.start.Do(func() {
		for range aheadWorkers {
			a.workers.Go(a.work)
		}
	})
	select {
	case a.jobs <- name:
	default:
	}
}

func (a *ahead) work() {
	for name := range a.jobs {
		if a.s.ctx.Err() != nil || a.s.link.down() {
			continue
		}
		a.s.prefetch(name)
	}
}

// prefetch fetches what is not here; who looks at it gets the error, if any.
func (s *Source) prefetch(name object.Name) {
	if s.cache.holds(name) {
		return
	}
	if held, err := s.cache.repo.Holds(name); held || err != nil {
		return
	}
	if name.Kind != object.KindFile {
		s.bringUpTo(name, min(aheadSize, limitOf(name.Kind)))
	} else if _, err := s.said.told(name.Checksum); err != nil {
		s.bringHeader(name.Checksum)
	}
}

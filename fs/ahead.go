package fs

import (
	"sync"
	"sync/atomic"

	"deployfs/objstore/index"
	"deployfs/objstore/object"
)

const (
	aheadSlots   = 64       // contents that are held, and at most aheadSize of each
	aheadSize    = 64 << 10 // bytes of the largest file that is read ahead
	aheadStreams = 16       // directories that are watched
	aheadFirst   = 4        // files that are read ahead at first
	aheadMost    = aheadSlots / 2
	aheadReaders = 4
	aheadHeat    = 16 // directories that may be entered until files count as not being read
)

// ahead reads small files before the kernel asks for them, once a reader goes
// through a directory: a READ then waits for no disk. It needs an index, which
// knows the files that come next without opening them.
//
// They are not put into the kernel's cache (FUSE_NOTIFY_STORE), though that would
// spare the READ: a server that is killed while it waits there for a page that a
// reader holds can't die, and the mount hangs.
type ahead struct {
	f       *FS
	slots   [aheadSlots]slot
	streams [aheadStreams]stream
	jobs    chan job
	heat    atomic.Int32 // how many directories to enter until files count as not being read
	readers sync.WaitGroup
}

// spot is a file's place: its directory's row and its position there.
type spot struct {
	dir row
	pos uint32
}

// job is a file to be read.
type job struct {
	spot
	sum  object.Checksum
	size int
}

// slot holds the content of one file.
type slot struct {
	mu    sync.Mutex
	spot  spot
	state slotState
	done  chan struct{} // closed when it is no longer being read
	data  []byte
	head  object.Header // of its object
}

type slotState uint8

const (
	slotFree   slotState = iota
	slotQueued           // nobody has begun
	slotReading
	slotFull
)

// stream is how far a reader has come in a directory.
type stream struct {
	mu     sync.Mutex
	dir    row
	last   uint32 // position that was read
	until  uint32 // position up to which files were asked for
	window uint32
}

func newAhead(f *FS) *ahead {
	a := &ahead{f: f, jobs: make(chan job, aheadSlots)}
	for range aheadReaders {
		a.readers.Go(func() {
			for j := range a.jobs {
				a.read(j)
			}
		})
	}
	return a
}

// close ends the readers. Nobody may ask any more.
func (a *ahead) close() {
	close(a.jobs)
	a.readers.Wait()
}

func (a *ahead) slot(at spot) *slot { return &a.slots[(uint32(at.dir)*37+at.pos)%aheadSlots] }

// take copies the content of a file that was read ahead, and gives it up. When
// it is being read, take waits.
func (a *ahead) take(at spot, buf []byte) (n int, h object.Header, ok bool) {
	s := a.slot(at)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.spot != at {
		return 0, h, false
	}
	if s.state == slotReading {
		done := s.done
		s.mu.Unlock()
		<-done
		s.mu.Lock()
	}
	if s.spot != at || s.state == slotFree || s.state == slotReading {
		return 0, h, false
	}
	full := s.state == slotFull && len(s.data) <= len(buf)
	s.state = slotFree
	if !full {
		return 0, h, false
	}
	return copy(buf, s.data), s.head, true
}

// follow notes that the file at a position was read, and asks for those that
// come next.
func (a *ahead) follow(d *indexDir, pos uint32) {
	s := &a.streams[d.row%aheadStreams]
	s.mu.Lock()
	from, until := s.advance(d.row, pos)
	s.mu.Unlock()
	a.heat.Store(aheadHeat)
	a.askAll(d, from, until)
}

func (a *ahead) askAll(d *indexDir, from, until uint32) {
	for next := from; next < min(until, uint32(d.files)); next++ {
		a.ask(d, next)
	}
}

// enter notes that somebody looks into a directory. If files are being read, so
// will those in it.
func (a *ahead) enter(d *indexDir) {
	if a.heat.Load() <= 0 || a.heat.Add(-1) < 0 {
		return
	}
	s := &a.streams[d.row%aheadStreams]
	s.mu.Lock()
	from, until := s.begin(d.row)
	s.mu.Unlock()
	a.askAll(d, from, until)
}

// begin returns the first positions of a directory that was not read before.
func (s *stream) begin(dir row) (from, until uint32) {
	if s.dir == dir {
		return 0, 0
	}
	s.dir, s.last, s.until, s.window = dir, 0, aheadFirst, aheadFirst/2
	return 0, aheadFirst
}

// advance returns the positions that are to be read ahead now.
func (s *stream) advance(dir row, pos uint32) (from, until uint32) {
	if s.dir != dir || pos < s.last || pos > s.until+aheadFirst {
		s.dir, s.last, s.until, s.window = dir, pos, pos+1, 0
		if pos > 0 {
			return 0, 0 // perhaps the only one that is read
		}
	}
	s.last = pos
	s.window = min(max(2*s.window, aheadFirst), aheadMost)
	if pos+1+s.window/2 < s.until {
		return 0, 0 // far enough for now
	}
	from, until = max(s.until, pos+1), pos+1+s.window
	s.until = max(until, s.until)
	return from, until
}

// ask has a file read, unless too much is being read already.
func (a *ahead) ask(d *indexDir, pos uint32) {
	r := d.first + index.Row(pos)
	if !d.x.Known(r) || d.x.Attributes(r).Mode&object.ModeType != object.ModeRegular {
		return
	}
	size := d.x.FileSize(r)
	if size == 0 || size > aheadSize {
		return
	}
	j := job{spot{d.row, pos}, d.x.Sum(r), int(size)}
	s := a.slot(j.spot)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == slotReading || s.state == slotQueued {
		return
	}
	select {
	case a.jobs <- j:
		s.spot, s.state = j.spot, slotQueued
	default:
	}
}

// read does a job that is still wanted.
func (a *ahead) read(j job) {
	s := a.slot(j.spot)
	s.mu.Lock()
	if s.spot != j.spot || s.state != slotQueued {
		s.mu.Unlock()
		return
	}
	s.state, s.done = slotReading, make(chan struct{})
	data := s.data
	s.mu.Unlock()

	data, head, err := a.load(j, data)

	s.mu.Lock()
	defer s.mu.Unlock()
	s.data, s.head, s.state = data, head, slotFull
	if err != nil {
		s.state = slotFree // who asks for it gets the error
	}
	close(s.done)
}

// load reads a file's content, checked as the options say, into data.
func (a *ahead) load(j job, data []byte) ([]byte, object.Header, error) {
	if cap(data) < j.size {
		data = make([]byte, j.size)
	}
	data = data[:j.size]
	file, err := a.f.files.Acquire(j.sum, a.f.opts.Verify != VerifyNone)
	if err != nil {
		return data, object.Header{}, err
	}
	defer a.f.files.Release(file)
	_, err = file.ReadContent(data, 0)
	return data, file.Header, err
}

package fs

import (
	"errors"
	"os"
	"sync"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

const (
	passedShards = 16
	// maxIdlePassed bounds the files that the kernel keeps for a shard's rows
	// while nobody has them open.
	maxIdlePassed = 64
)

// Registrar gives files to the kernel, which reads them by itself.
type Registrar interface {
	// Register returns the number under which the kernel has the file.
	Register(fd int) (int32, error)
	// Unregister takes it back. What has it open keeps it.
	Unregister(number int32)
}

// passed knows which files the kernel reads by itself. A row's tag is the number
// under which the kernel has the file that backs it: there is one for each inode
// as long as it is open, and for some time after.
type passed struct {
	nodes  *table
	opens  *opens
	kernel Registrar
	shards [passedShards]passedShard
}

// passedShard guards the uses of its rows.
type passedShard struct {
	mu   sync.Mutex
	uses map[row]*uses // of rows that are open, or listed
	idle []row         // in the order in which they became so; some are open again
}

// uses is who has a file open.
type uses struct {
	passed, asked uint32 // opens that the kernel reads by itself, and that it sends READs for
	listed        bool   // among the idle ones
}

// UsePassthrough lets the kernel read files by itself from now on, which must be
// before the first is opened. It goes on with what an earlier server did.
func (f *FS) UsePassthrough(kernel Registrar) {
	p := &passed{nodes: f.nodes, kernel: kernel}
	for i := range p.shards {
		p.shards[i].uses = map[row]*uses{}
	}
	p.opens = newOpens(f.state, func(r row, asked bool) { p.shard(r).of(r).count(asked) })
	p.listIdle()
	f.passed = p
}

// listIdle finds the files that the kernel has though nobody has them open.
func (p *passed) listIdle() {
	for r := row(1); int(r) < p.nodes.size(); r++ {
		if tag := p.nodes.tag(r).Load(); tag == 0 || tag&dirTag != 0 {
			continue
		}
		s := p.shard(r)
		if u := s.of(r); u.passed == 0 {
			s.list(r, u)
		}
	}
}

// openPassed answers an OPEN with the number of the file that backs r, or, when
// the kernel takes none, so that it sends READs.
func (f *FS) openPassed(in *gofuse.OpenIn, r row, out *gofuse.OpenOut) error {
	anew := f.opts.Verify == VerifyAlways
	if done, err := f.passed.reuse(in.Unique, r, anew, out); done || err != nil {
		return err
	}
	if f.isName(r) {
		return f.passed.open(in.Unique, r, -1, false, out)
	}
	file, err := f.open(r, anew)
	if err != nil {
		return err
	}
	defer f.files.Release(file)
	return f.passed.open(in.Unique, r, file.Fd(), anew, out)
}

// Release is told that a file was closed by the last who had it open.
func (f *FS) Release(cancel <-chan struct{}, in *gofuse.ReleaseIn) {
	f.stats.requests.Add(1)
	if f.passed != nil && in.Fh != 0 {
		f.passed.release(in.Fh)
	}
}

func (p *passed) shard(r row) *passedShard { return &p.shards[r%passedShards] }

// of is who has r open. The caller holds the lock.
func (s *passedShard) of(r row) *uses {
	u := s.uses[r]
	if u == nil {
		u = &uses{}
		s.uses[r] = u
	}
	return u
}

// reuse gives the answer that a request had before, or, unless it is wanted anew,
// opens what the kernel has for r already; false when there is neither.
func (p *passed) reuse(request uint64, r row, anew bool, out *gofuse.OpenOut) (done bool, err error) {
	s := p.shard(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	tag := p.nodes.tag(r).Load()
	if handle, asked, ok := p.opens.again(request); ok {
		if asked {
			tag = 0
		}
		answerOpen(handle, tag, out)
		return true, nil
	}
	if tag == 0 || anew {
		return false, nil
	}
	return true, p.answer(s, request, r, tag, out)
}

// open opens r, whose content is in fd. The kernel wants all opens of an inode
// to be of one kind, and of one file; with same, which was verified anew, that
// has to be this one.
func (p *passed) open(request uint64, r row, fd int, same bool, out *gofuse.OpenOut) error {
	var st unix.Stat_t
	if fd >= 0 {
		if err := unix.Fstat(fd, &st); err != nil {
			return os.NewSyscallError("fstat", err)
		}
	}
	s := p.shard(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	tag, back, u := p.nodes.tag(r), p.nodes.back(r), s.of(r)
	if tag.Load() != 0 && same && *back != st.Ino {
		if u.passed > 0 {
			return errReplaced
		}
		p.kernel.Unregister(int32(tag.Swap(0)))
	}
	if tag.Load() == 0 && u.asked == 0 && fd >= 0 {
		if number, err := p.kernel.Register(fd); err == nil {
			*back = st.Ino
			tag.Store(uint32(number))
		}
	}
	err := p.answer(s, request, r, tag.Load(), out)
	if err != nil && tag.Load() != 0 && u.passed == 0 {
		s.list(r, u)
	}
	s.drop(r, u)
	return err
}

// errReplaced is what an open gets whose content was verified while others read
// another file.
var errReplaced = errors.New("it is open, and its object has been replaced since")

// answer counts an open of the file with that number; 0 is none.
func (p *passed) answer(s *passedShard, request uint64, r row, number uint32, out *gofuse.OpenOut) error {
	handle, err := p.opens.add(request, r, number == 0)
	if err != nil {
		return err
	}
	s.of(r).count(number == 0)
	answerOpen(handle, number, out)
	return nil
}

func (u *uses) count(asked bool) {
	if asked {
		u.asked++
	} else {
		u.passed++
	}
}

func answerOpen(handle uint64, number uint32, out *gofuse.OpenOut) {
	out.Fh, out.OpenFlags = handle, gofuse.FOPEN_NOFLUSH
	if number != 0 {
		out.BackingID = int32(number)
		out.OpenFlags |= gofuse.FOPEN_PASSTHROUGH
	} else {
		out.OpenFlags |= gofuse.FOPEN_KEEP_CACHE
	}
}

// release ends an open. What nobody has open is kept for the next, as long as
// there is room.
func (p *passed) release(handle uint64) {
	r, asked, ok := p.opens.remove(handle)
	if !ok {
		return // the request was sent again
	}
	s := p.shard(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.of(r)
	if asked {
		u.asked--
	} else if u.passed--; u.passed == 0 {
		s.list(r, u)
	}
	s.drop(r, u)
	for len(s.idle) > maxIdlePassed {
		p.forget(s, s.idle[0])
		s.idle = s.idle[1:]
	}
}

// list makes a row one of the idle ones.
func (s *passedShard) list(r row, u *uses) {
	if !u.listed {
		u.listed = true
		s.idle = append(s.idle, r)
	}
}

// drop forgets who has a row open when nobody has.
func (s *passedShard) drop(r row, u *uses) {
	if *u == (uses{}) {
		delete(s.uses, r)
	}
}

// forget takes a row off the list of idle ones, and its file from the kernel
// unless it is open again.
func (p *passed) forget(s *passedShard, r row) {
	u := s.of(r)
	u.listed = false
	if u.passed == 0 {
		if number := p.nodes.tag(r).Swap(0); number != 0 {
			p.kernel.Unregister(int32(number))
		}
	}
	s.drop(r, u)
}

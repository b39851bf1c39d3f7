package fs

import (
	"sync"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

const (
	passedShards = 16
	// maxIdlePassed bounds the files that the kernel keeps open for a shard's
	// rows while nobody has them open.
	maxIdlePassed = 64
	// passedHandle is the handle of a file that the kernel reads by itself.
	passedHandle = 1
)

// passed knows which files the kernel reads by itself. A row's tag is the number
// under which the kernel has the file that backs it: there is one for each inode
// as long as it is open, and for some time after.
type passed struct {
	nodes  *table
	server *gofuse.Server
	shards [passedShards]passedShard
}

type passedShard struct {
	mu   sync.Mutex
	uses map[row]uses // of rows with a number
	idle []row        // in the order in which they became so; some are open again
}

// uses is how many have a file open.
type uses struct {
	open   int
	listed bool // in idle
}

// register gives the kernel a file, and returns its number.
func register(server *gofuse.Server, fd int) (int32, error) {
	id, errno := server.RegisterBackingFd(&gofuse.BackingMap{Fd: int32(fd)})
	if errno != 0 {
		return 0, errno
	}
	return id, nil
}

// Passthrough reports whether the kernel would read file by itself, and why not.
func Passthrough(server *gofuse.Server, fd int) error {
	if server.KernelSettings().Flags64()&gofuse.CAP_PASSTHROUGH == 0 {
		return unix.EOPNOTSUPP
	}
	id, err := register(server, fd)
	if err == nil {
		server.UnregisterBackingFd(id)
	}
	return err
}

// UsePassthrough lets the kernel read files by itself from now on, which must be
// before the first is opened.
func (f *FS) UsePassthrough(server *gofuse.Server) {
	p := &passed{nodes: f.nodes, server: server}
	for i := range p.shards {
		p.shards[i].uses = map[row]uses{}
	}
	f.passed = p
}

// openPassed answers an OPEN with the number of the file that backs r.
func (f *FS) openPassed(r row, out *gofuse.OpenOut) error {
	anew := f.opts.Verify == VerifyAlways
	if id, ok := f.passed.reuse(r); ok && !anew {
		passTo(out, id)
		return nil
	} else if ok {
		defer f.passed.release(r)
	}
	file, err := f.open(r, anew)
	if err != nil {
		return err
	}
	defer f.files.Release(file)
	id, err := f.passed.open(r, file.Fd())
	if err != nil {
		out.OpenFlags = gofuse.FOPEN_KEEP_CACHE | gofuse.FOPEN_NOFLUSH // READs come here
		return nil
	}
	passTo(out, id)
	return nil
}

func passTo(out *gofuse.OpenOut, id int32) {
	out.BackingID, out.Fh, out.OpenFlags = id, passedHandle, gofuse.FOPEN_PASSTHROUGH|gofuse.FOPEN_NOFLUSH
}

// Release is told that a file was closed by the last who had it open.
func (f *FS) Release(cancel <-chan struct{}, in *gofuse.ReleaseIn) {
	f.stats.requests.Add(1)
	if f.passed != nil && in.Fh == passedHandle {
		f.passed.release(rowOf(in.NodeId))
	}
}

func (p *passed) shard(r row) *passedShard { return &p.shards[r%passedShards] }

// reuse opens the file that the kernel has for r; false when it has none.
func (p *passed) reuse(r row) (id int32, ok bool) {
	s := p.shard(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	u, ok := s.uses[r]
	if !ok {
		return 0, false
	}
	u.open++
	s.uses[r] = u
	return int32(p.nodes.tag(r).Load()), true
}

// open opens the file that the kernel has for r, which is that of fd if it has none.
func (p *passed) open(r row, fd int) (int32, error) {
	s := p.shard(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	u, ok := s.uses[r]
	if !ok {
		id, err := register(p.server, fd)
		if err != nil {
			return 0, err
		}
		p.nodes.tag(r).Store(uint32(id))
	}
	u.open++
	s.uses[r] = u
	return int32(p.nodes.tag(r).Load()), nil
}

// release ends one use of r's file. What nobody uses is kept for the next, as
// long as there is room.
func (p *passed) release(r row) {
	s := p.shard(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	u, ok := s.uses[r]
	if !ok {
		return
	}
	u.open--
	if u.open == 0 && !u.listed {
		u.listed = true
		s.idle = append(s.idle, r)
	}
	s.uses[r] = u
	for len(s.idle) > maxIdlePassed {
		p.forget(s, s.idle[0])
		s.idle = s.idle[1:]
	}
}

// forget takes a row off the list of idle ones, and its file from the kernel
// unless it is open again.
func (p *passed) forget(s *passedShard, r row) {
	u := s.uses[r]
	if u.listed = false; u.open > 0 {
		s.uses[r] = u
		return
	}
	p.server.UnregisterBackingFd(int32(p.nodes.tag(r).Swap(0)))
	delete(s.uses, r)
}

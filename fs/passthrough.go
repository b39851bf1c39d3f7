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
	// The handles tell a RELEASE what its OPEN was.
	passedHandle = 1 // the kernel reads by itself
	askedHandle  = 2 // it sends READs
)

// passed knows which files the kernel reads by itself. A row's tag is the number
// under which the kernel has the file that backs it: there is one for each inode
// as long as it is open, and for some time after.
type passed struct {
	nodes  *table
	server *gofuse.Server
	shards [passedShards]passedShard
}

// passedShard guards the uses of its rows.
type passedShard struct {
	mu   sync.Mutex
	idle []row // in the order in which they became so; some are open again
}

// uses is who has a file open, and which file that is.
type uses struct {
	passed, asked uint32 // opens, by their handle
	listed        bool   // among the idle ones
	ino           uint64 // of the file that the kernel has
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
	f.passed = &passed{nodes: f.nodes, server: server}
}

// openPassed answers an OPEN with the number of the file that backs r, or, when
// the kernel takes none, so that it sends READs.
func (f *FS) openPassed(r row, out *gofuse.OpenOut) error {
	anew := f.opts.Verify == VerifyAlways
	if !anew && f.passed.reuse(r, out) {
		return nil
	}
	file, err := f.open(r, anew)
	if err != nil {
		return err
	}
	defer f.files.Release(file)
	return f.passed.open(r, file.Fd(), anew, out)
}

// Release is told that a file was closed by the last who had it open.
func (f *FS) Release(cancel <-chan struct{}, in *gofuse.ReleaseIn) {
	f.stats.requests.Add(1)
	if f.passed != nil && in.Fh != 0 {
		f.passed.release(rowOf(in.NodeId), in.Fh)
	}
}

func (p *passed) shard(r row) *passedShard { return &p.shards[r%passedShards] }

// reuse opens what the kernel has for r already; false when it has nothing.
func (p *passed) reuse(r row, out *gofuse.OpenOut) bool {
	s := p.shard(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	tag := p.nodes.tag(r).Load()
	if tag == 0 {
		return false
	}
	p.nodes.uses(r).answer(tag, out)
	return true
}

// open opens r, whose content is in fd. The kernel wants all opens of an inode
// to be of one kind, and of one file; with same, which was verified anew, that
// has to be this one.
func (p *passed) open(r row, fd int, same bool, out *gofuse.OpenOut) error {
	var st unix.Stat_t
	if fd >= 0 {
		if err := unix.Fstat(fd, &st); err != nil {
			return os.NewSyscallError("fstat", err)
		}
	}
	s := p.shard(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	tag, u := p.nodes.tag(r), p.nodes.uses(r)
	if tag.Load() != 0 && same && u.ino != st.Ino {
		if u.passed > 0 {
			return errReplaced
		}
		p.server.UnregisterBackingFd(int32(tag.Swap(0)))
	}
	if tag.Load() == 0 && u.asked == 0 && fd >= 0 {
		if id, err := register(p.server, fd); err == nil {
			tag.Store(uint32(id))
			u.ino = st.Ino
		}
	}
	u.answer(tag.Load(), out)
	return nil
}

// errReplaced is what an open gets whose content was verified while others read
// another file.
var errReplaced = errors.New("it is open, and its object has been replaced since")

// answer counts an open of the file with the number tag; 0 is none.
func (u *uses) answer(tag uint32, out *gofuse.OpenOut) {
	out.OpenFlags = gofuse.FOPEN_NOFLUSH
	if tag != 0 {
		u.passed++
		out.Fh, out.BackingID = passedHandle, int32(tag)
		out.OpenFlags |= gofuse.FOPEN_PASSTHROUGH
	} else {
		u.asked++
		out.Fh = askedHandle
		out.OpenFlags |= gofuse.FOPEN_KEEP_CACHE
	}
}

// release ends an open. What nobody has open is kept for the next, as long as
// there is room.
func (p *passed) release(r row, handle uint64) {
	s := p.shard(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	u := p.nodes.uses(r)
	if handle == askedHandle {
		u.asked--
		return
	}
	u.passed--
	if u.passed == 0 && !u.listed {
		u.listed = true
		s.idle = append(s.idle, r)
	}
	for len(s.idle) > maxIdlePassed {
		p.forget(s.idle[0])
		s.idle = s.idle[1:]
	}
}

// forget takes a row off the list of idle ones, and its file from the kernel
// unless it is open again.
func (p *passed) forget(r row) {
	u := p.nodes.uses(r)
	if u.listed = false; u.passed > 0 {
		return
	}
	if id := p.nodes.tag(r).Swap(0); id != 0 {
		p.server.UnregisterBackingFd(int32(id))
	}
}

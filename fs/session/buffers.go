package session

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// buffers is what one reader needs.
//
// When a server is killed in the middle of read(2) or write(2), the kernel goes
// on copying, unless it meets a page that is not there: then it fails the
// request, which its caller sees as EIO, instead of keeping it for the next
// server. So the pages that a request is copied to are there before, and stay;
// an answer is copied from one page that the kernel holds, or from a pipe.
type buffers struct {
	all, in, out []byte
	pipe         [2]int // -1: there is none
}

const (
	requestSize = 8192    // bytes of the largest request that somebody waits for
	pipeSize    = 1 << 20 // bytes
	maxUnused   = 8       // buffers that are kept
)

func newBuffers(size int) (*buffers, error) {
	all, err := unix.Mmap(-1, 0, 2*size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return nil, fmt.Errorf("fuse: memory for requests: %w", err)
	}
	b := &buffers{all: all, in: all[:size:size], out: all[size:], pipe: [2]int{-1, -1}}
	for i := 0; i < requestSize; i += os.Getpagesize() {
		b.in[i] = 1
	}
	b.out[0] = 1
	unix.Mlock(b.in[:requestSize]) // or they may be paged out, which is less likely
	unix.Mlock(b.out[:os.Getpagesize()])
	return b, nil
}

// takeBuffers returns buffers that nobody uses.
func (s *Session) takeBuffers() (*buffers, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if last := len(s.unused) - 1; last >= 0 {
		b := s.unused[last]
		s.unused = s.unused[:last]
		return b, nil
	}
	page := os.Getpagesize()
	return newBuffers((s.maxSize + replySize + page - 1) / page * page)
}

// giveBuffers keeps a few for the next readers.
func (s *Session) giveBuffers(b *buffers) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.unused) < maxUnused {
		s.unused = append(s.unused, b)
		return
	}
	b.close()
}

func (b *buffers) close() {
	if b.pipe[0] >= 0 {
		b.closePipe()
	}
	unix.Munmap(b.all)
}

// reply sends the first size bytes of out.
func (b *buffers) reply(fd, size int) error {
	if size <= os.Getpagesize() || !b.openPipe() {
		_, err := retry(func() (int, error) { return unix.Write(fd, b.out[:size]) })
		return err
	}
	part := unix.Iovec{Base: &b.out[0]}
	part.SetLen(size)
	n, err := retry(func() (int, error) { return unix.Vmsplice(b.pipe[1], []unix.Iovec{part}, 0) })
	if err == nil && n == size {
		_, err = retry(func() (int, error) { n, err := unix.Splice(b.pipe[0], nil, fd, nil, size, 0); return int(n), err })
		if err == nil {
			return nil
		}
	}
	b.closePipe() // something may be left in it
	if err == unix.ENOENT || err == unix.ENODEV {
		return err
	}
	_, err = retry(func() (int, error) { return unix.Write(fd, b.out[:size]) })
	return err
}

// openPipe reports whether there is a pipe that holds an answer.
func (b *buffers) openPipe() bool {
	if b.pipe[0] >= 0 {
		return true
	}
	var fds [2]int
	if unix.Pipe2(fds[:], unix.O_CLOEXEC) != nil {
		return false
	}
	b.pipe = fds
	if n, err := unix.FcntlInt(uintptr(fds[0]), unix.F_SETPIPE_SZ, pipeSize); err != nil || n < len(b.out) {
		b.closePipe()
		return false
	}
	return true
}

func (b *buffers) closePipe() {
	unix.Close(b.pipe[0])
	unix.Close(b.pipe[1])
	b.pipe = [2]int{-1, -1}
}
